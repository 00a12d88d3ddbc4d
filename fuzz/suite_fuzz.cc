// JUnit reports of test suites.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "insight/trial/junit.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto report = portcullis::insight::ParseJUnit({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (report && report->failures.size() > report->tests) std::abort();
  return 0;
}
