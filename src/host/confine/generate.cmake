# data/self/daemon.json -> ${CMAKE_BINARY_DIR}/gen/host/confine/daemon_profile.cc
file(READ ${CMAKE_SOURCE_DIR}/data/self/daemon.json DAEMON_PROFILE_JSON)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/data/self/daemon.json)
set(CONFINE_GENERATED_SOURCES ${CMAKE_BINARY_DIR}/gen/host/confine/daemon_profile.cc)
configure_file(${CMAKE_CURRENT_SOURCE_DIR}/host/confine/daemon_profile.cc.in ${CONFINE_GENERATED_SOURCES} @ONLY)
