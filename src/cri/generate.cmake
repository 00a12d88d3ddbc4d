# Generates the CRI structs, JSON, proto and conversions from data/cri-v1.tsv (scripts/generate-cri).
set(CRI_GEN ${CMAKE_BINARY_DIR}/gen/cri)
set(CRI_GENERATED_SOURCES ${CRI_GEN}/types.h ${CRI_GEN}/runtime_api.h ${CRI_GEN}/runtime_api.cc ${CRI_GEN}/json.h ${CRI_GEN}/json.cc)
set(CRI_GRPC_GENERATED_SOURCES ${CRI_GEN}/grpc/convert.h ${CRI_GEN}/grpc/convert.cc ${CRI_GEN}/grpc/api.pb.cc ${CRI_GEN}/grpc/api.grpc.pb.cc)
# At configure time, so that every room finds the headers whatever is built first.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/data/cri-v1.tsv ${CMAKE_SOURCE_DIR}/scripts/generate-cri)
execute_process(COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/generate-cri ${CMAKE_SOURCE_DIR}/data/cri-v1.tsv ${CMAKE_BINARY_DIR}/gen
  COMMAND_ERROR_IS_FATAL ANY)
add_custom_command(
  OUTPUT ${CRI_GEN}/grpc/api.pb.cc ${CRI_GEN}/grpc/api.pb.h ${CRI_GEN}/grpc/api.grpc.pb.cc ${CRI_GEN}/grpc/api.grpc.pb.h
  COMMAND protobuf::protoc -I ${CMAKE_BINARY_DIR}/gen --cpp_out=${CMAKE_BINARY_DIR}/gen --grpc_out=${CMAKE_BINARY_DIR}/gen
          --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> ${CRI_GEN}/grpc/api.proto
  DEPENDS ${CRI_GEN}/grpc/api.proto COMMENT "protoc cri/grpc/api.proto")
set_source_files_properties(${CRI_GEN}/grpc/api.pb.cc ${CRI_GEN}/grpc/api.grpc.pb.cc ${CRI_GEN}/grpc/convert.cc PROPERTIES COMPILE_OPTIONS "-O0;-g0;-w")
# gRPC's callback services hide the overloads of its synchronous ones by design.
set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/cri/grpc/server.cc PROPERTIES COMPILE_OPTIONS "-Wno-overloaded-virtual")
