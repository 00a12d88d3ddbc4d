// What a test suite wrote about itself: JUnit XML, as pytest, go-junit-report, Maven, ctest and most others write it.
//
//   ASSIGN_OR_RETURN(const SuiteReport report, ParseJUnit(text, "results.xml"));
//   report.failures[0].name       // "tests.api.test_login"
//
// Pure. The root may be <testsuites> or <testsuite>; suites may nest. A failed case has a <failure> or an <error>.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::insight {

struct SuiteFailure {
  std::string name;     // "classname.name"
  std::string message;  // the first line of it
  bool operator==(const SuiteFailure&) const = default;
};

struct SuiteReport {
  uint64_t tests = 0;
  uint64_t skipped = 0;
  std::vector<SuiteFailure> failures;
};

// `name` is for errors, which say where in the text.
Result<SuiteReport> ParseJUnit(std::string_view text, const std::string& name);

}  // namespace portcullis::insight
