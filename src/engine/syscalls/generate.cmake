# data/syscalls/syscalls.tsv -> ${CMAKE_BINARY_DIR}/gen/engine/syscalls/tables.cc
set(SYSCALLS_GENERATED_SOURCES ${CMAKE_BINARY_DIR}/gen/engine/syscalls/tables.cc)
add_custom_command(
  OUTPUT ${SYSCALLS_GENERATED_SOURCES}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/generate-syscalls ${CMAKE_SOURCE_DIR}/data/syscalls/syscalls.tsv
    ${SYSCALLS_GENERATED_SOURCES}
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/generate-syscalls ${CMAKE_SOURCE_DIR}/data/syscalls/syscalls.tsv
  COMMENT "Generating the system call tables")
