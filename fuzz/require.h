// What a fuzz target demands of the code under test; a broken promise is a crash for the fuzzer to find.
#pragma once

#include <cstdlib>

inline void Require(bool held) {
  if (!held) std::abort();
}
