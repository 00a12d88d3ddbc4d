# data/syscalls/syscalls.tsv -> ${CMAKE_BINARY_DIR}/gen/engine/syscalls/tables.cc
set(SYSCALLS_GENERATED_SOURCES ${CMAKE_BINARY_DIR}/gen/engine/syscalls/tables.cc)
add_custom_command(
  OUTPUT ${SYSCALLS_GENERATED_SOURCES}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/generate-syscalls ${CMAKE_SOURCE_DIR}/data/syscalls/syscalls.tsv
    ${SYSCALLS_GENERATED_SOURCES}
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/generate-syscalls ${CMAKE_SOURCE_DIR}/data/syscalls/syscalls.tsv
  COMMENT "Generating the system call tables")

# data/syscalls/{constants,arguments}.tsv -> ${CMAKE_BINARY_DIR}/gen/engine/syscalls/constants_table.cc
set(constants_source ${CMAKE_BINARY_DIR}/gen/engine/syscalls/constants_table.cc)
list(APPEND SYSCALLS_GENERATED_SOURCES ${constants_source})
set(constants_inputs ${CMAKE_SOURCE_DIR}/data/syscalls/constants.tsv ${CMAKE_SOURCE_DIR}/data/syscalls/arguments.tsv)
add_custom_command(
  OUTPUT ${constants_source}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/generate-constants ${constants_inputs} ${constants_source}
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/generate-constants ${constants_inputs}
  COMMENT "Generating the constants of system call arguments")
# The table against the headers of this machine.
add_test(NAME constants_agree_with_headers
  COMMAND ${CMAKE_SOURCE_DIR}/scripts/import-constants --check ${CMAKE_SOURCE_DIR}/data)
set_tests_properties(constants_agree_with_headers PROPERTIES LABELS unit TIMEOUT 60)
