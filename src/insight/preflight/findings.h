// The calls of one container that a change would deny, and the smallest remedy for each.
//
//   ASSIGN_OR_RETURN(std::vector<Finding> findings, FindDenied(calls, change, only_denied, profiles));
//
// Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "insight/preflight/attribution.h"
#include "insight/preflight/enforced_profiles.h"
#include "insight/preflight/report.h"
#include "insight/preflight/target.h"

namespace portcullis::insight {

// What changes for a container: views that outlive the search.
struct Change {
  const Target& target;
  const std::vector<std::string>& bounding;
  const Enforced& after;   // the target's profile for these capabilities
  const Enforced* before;  // nullptr: no profile
};

// The gravest first, then the most frequent. `only_denied(trace)`: a log that shows just what the target denies, so a
// call in it was denied.
Result<std::vector<Finding>> FindDenied(const std::vector<SeenCall>& calls, const Change& change,
                                        const std::function<bool(size_t trace)>& only_denied,
                                        EnforcedProfiles& profiles);

}  // namespace portcullis::insight
