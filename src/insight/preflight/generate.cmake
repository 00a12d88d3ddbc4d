# data/knowledge/*.entries -> ${CMAKE_BINARY_DIR}/gen/insight/preflight/knowledge_data.cc
set(PREFLIGHT_GENERATED_SOURCES ${CMAKE_BINARY_DIR}/gen/insight/preflight/knowledge_data.cc)
file(GLOB knowledge_entries CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/data/knowledge/*.entries)
add_custom_command(
  OUTPUT ${PREFLIGHT_GENERATED_SOURCES}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/scripts/generate-knowledge ${PREFLIGHT_GENERATED_SOURCES} ${knowledge_entries}
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/generate-knowledge ${knowledge_entries}
  COMMENT "Generating what is known about denied calls")
