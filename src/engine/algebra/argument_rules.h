// From a function of a call's arguments back to rules that a profile can say: conjunctions of tests in which each
// argument is tested once. Private to this room.
//
//   argument 0 is 38 or 40: ERRNO, else ALLOW; the profile's default action is ERRNO
//     ->  ALLOW when argument 0 <= 37,  ALLOW when argument 0 == 39,  ALLOW when argument 0 >= 41
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "engine/filter/decision_diagram.h"
#include "engine/seccomp/profile.h"

namespace portcullis::algebra {

// What a matching call gets; no tests: every call.
struct ArgumentRule {
  std::vector<seccomp::Arg> tests;
  uint32_t answer = 0;  // SECCOMP_RET_* and data
  auto operator<=>(const ArgumentRule&) const = default;
};

using ArgumentRules = std::vector<ArgumentRule>;

// More rules than this for one call: a profile is the wrong form for it.
inline constexpr size_t kMostArgumentRules = 512;

// Rules that no two of match the same call, so that their order means nothing. Where none matches, `otherwise` holds;
// no rule answers it. Error (kResourceExhausted): more than kMostArgumentRules.
Result<ArgumentRules> ToArgumentRules(const filter::DecisionDiagrams& diagrams, filter::DecisionDiagrams::Node function,
                                      uint32_t otherwise);

}  // namespace portcullis::algebra
