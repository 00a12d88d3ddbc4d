# PORTCULLIS_SANITIZE: OFF, address (AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer; ON means the same)
# or thread (ThreadSanitizer). How to run what such a build makes is in docs/contributing.md.
set(PORTCULLIS_SANITIZE OFF CACHE STRING "Sanitizers to build with: OFF, address or thread")
set_property(CACHE PORTCULLIS_SANITIZE PROPERTY STRINGS OFF address thread)

if(NOT PORTCULLIS_SANITIZE)
  return()
elseif(PORTCULLIS_SANITIZE STREQUAL "thread")
  # Not gcc's, which does not see std::atomic_thread_fence.
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "PORTCULLIS_SANITIZE=thread needs clang: set CC=clang-19 CXX=clang++-19")
  endif()
  set(sanitizers -fsanitize=thread)
elseif(PORTCULLIS_SANITIZE MATCHES "^(address|ON|TRUE|YES|1)$")
  # Not vptr: its check opens a pipe, and fails where a test leaves no descriptors.
  set(sanitizers -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized)  # instrumentation makes gcc 12 see this in <regex>
  endif()
else()
  message(FATAL_ERROR "PORTCULLIS_SANITIZE is OFF, address or thread, not ${PORTCULLIS_SANITIZE}")
endif()
add_compile_options(${sanitizers} -fno-omit-frame-pointer)
add_link_options(${sanitizers})
