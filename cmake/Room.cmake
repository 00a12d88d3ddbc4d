# portcullis_room(<folder below src> DEPS <rooms...> LIBS <libraries...> [NO_PCH] [SOURCES <generated files...>])
#
# One room, one static library `room_<folder with _>`, made of every .cc of that folder that is not a test.
# `x_test.cc` files become one test program `<room>_test`, run by ctest without root.
# What a room may use is what DEPS names: scripts/check-layers compares it with LAYERS.toml and with the includes.

# One precompiled header for all rooms, and the same with GoogleTest for their tests.
set(precompiled_headers <algorithm> <map> <memory> <optional> <set> <string> <string_view> <vector> <functional> <chrono>
  <fmt/core.h> <tl/expected.hpp> <nlohmann/json.hpp>)
file(WRITE ${CMAKE_BINARY_DIR}/pch.cc "")

function(portcullis_target_defaults target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough)
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/gen)
endfunction()

# What every test program has. Not optimised: half of the time to compile a test would go into its assertions.
function(portcullis_test_defaults target)
  portcullis_target_defaults(${target})
  target_compile_options(${target} PRIVATE -O0 -Wno-missing-field-initializers)
  target_link_libraries(${target} PRIVATE GTest::gtest GTest::gmock GTest::gtest_main)
endfunction()

add_library(portcullis_pch STATIC ${CMAKE_BINARY_DIR}/pch.cc)
portcullis_target_defaults(portcullis_pch)
target_link_libraries(portcullis_pch PUBLIC nlohmann_json::nlohmann_json fmt::fmt tl::expected Threads::Threads)
target_precompile_headers(portcullis_pch PRIVATE ${precompiled_headers})

add_library(portcullis_test_pch STATIC ${CMAKE_BINARY_DIR}/pch.cc)
portcullis_test_defaults(portcullis_test_pch)
target_link_libraries(portcullis_test_pch PUBLIC portcullis_pch)
target_precompile_headers(portcullis_test_pch PRIVATE ${precompiled_headers} <gtest/gtest.h> <gmock/gmock.h>)

function(portcullis_test_program target)
  portcullis_test_defaults(${target})
  target_precompile_headers(${target} REUSE_FROM portcullis_test_pch)
  target_compile_definitions(${target} PRIVATE PORTCULLIS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endfunction()

function(portcullis_room folder)
  cmake_parse_arguments(ROOM "NO_PCH" "" "DEPS;LIBS;SOURCES;TEST_DEPS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  set(dir ${CMAKE_SOURCE_DIR}/src/${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(APPEND sources ${ROOM_SOURCES})
  if(NOT sources)
    return()
  endif()
  add_library(room_${name} STATIC ${sources})
  portcullis_target_defaults(room_${name})
  set(dep_targets "")
  foreach(dep ${ROOM_DEPS})
    string(REPLACE "/" "_" dep_name ${dep})
    list(APPEND dep_targets room_${dep_name})
  endforeach()
  # gRPC's compile options (-pthread) would make the precompiled header useless to whatever uses its room.
  set(libs_scope PUBLIC)
  if(ROOM_NO_PCH)
    set(libs_scope PRIVATE)
  endif()
  target_link_libraries(room_${name} ${libs_scope} ${ROOM_LIBS})
  target_link_libraries(room_${name} PUBLIC ${dep_targets} fmt::fmt tl::expected nlohmann_json::nlohmann_json Threads::Threads)
  if(NOT ROOM_NO_PCH)
    target_precompile_headers(room_${name} REUSE_FROM portcullis_pch)
    # Designated initialisers leave members out on purpose.
    target_compile_options(room_${name} PRIVATE -Wno-missing-field-initializers)
  endif()
  if(tests)
    set(test_dep_targets "")
    foreach(dep ${ROOM_TEST_DEPS})
      string(REPLACE "/" "_" dep_name ${dep})
      list(APPEND test_dep_targets room_${dep_name})
    endforeach()
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE room_${name} ${test_dep_targets})
    portcullis_test_program(${name}_test)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()
