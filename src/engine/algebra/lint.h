// What is surprising about a profile that only shows when its answers are looked at, call by call; the lints that need
// no more than the file are in seccomp/check.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "engine/algebra/combine.h"

namespace portcullis::algebra {

// - a denied call whose work another call does (socketcall, io_uring, clone3), clone3 denied so that a C library does
// not
//   fall back, 32-bit programs forgotten;
// - rules that never decide;
// - calls that runc or crun make after the filter is on, so that no container starts (measured with runc 1.1.5,
//   1.1.15 and 1.3.6, and crun 1.8.1, 1.21 and 1.28; with and without noNewPrivileges).
Diagnostics LintAnswers(const ResolvedProfile& profile, const std::string& name, filter::Arch native);

// All that runc and crun call in the container after the filter is on, with and without noNewPrivileges: a profile must
// permit these, whatever its program needs.
std::vector<std::string_view> CallsOfOciRuntimes();

// The calls in which a profile permits more than `base`, one warning each for equal ones.
Result<Diagnostics> LintAgainst(const ResolvedProfile& profile, const std::string& name, const ResolvedProfile& base,
                                const std::string& base_name, filter::Arch native);

}  // namespace portcullis::algebra
