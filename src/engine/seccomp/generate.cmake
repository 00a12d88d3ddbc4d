# data/profiles/*.profile -> ${CMAKE_BINARY_DIR}/gen/engine/seccomp/library_data.cc
set(SECCOMP_GENERATED_SOURCES ${CMAKE_BINARY_DIR}/gen/engine/seccomp/library_data.cc)
file(GLOB default_profiles CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/data/profiles/*.profile)
add_custom_command(
  OUTPUT ${SECCOMP_GENERATED_SOURCES}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/generate-profiles ${SECCOMP_GENERATED_SOURCES} ${default_profiles}
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/generate-profiles ${default_profiles}
  COMMENT "Generating the default profiles")
