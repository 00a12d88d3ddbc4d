# data/syscalls/{constants,arguments}.tsv -> ${CMAKE_BINARY_DIR}/gen/insight/evidence/constants_table.cc
set(EVIDENCE_GENERATED_SOURCES ${CMAKE_BINARY_DIR}/gen/insight/evidence/constants_table.cc)
set(constants_inputs ${CMAKE_SOURCE_DIR}/data/syscalls/constants.tsv ${CMAKE_SOURCE_DIR}/data/syscalls/arguments.tsv)
add_custom_command(
  OUTPUT ${EVIDENCE_GENERATED_SOURCES}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/generate-constants ${constants_inputs} ${EVIDENCE_GENERATED_SOURCES}
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/generate-constants ${constants_inputs}
  COMMENT "Generating the constants of system call arguments")
# The table against the headers of this machine.
add_test(NAME constants_agree_with_headers
  COMMAND ${CMAKE_SOURCE_DIR}/scripts/import-constants --check ${CMAKE_SOURCE_DIR}/data)
set_tests_properties(constants_agree_with_headers PROPERTIES LABELS unit TIMEOUT 60)
