#include "insight/preflight/enforced_profiles.h"

#include <utility>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::insight {

Result<const Enforced*> EnforcedProfiles::For(const Target& target, const std::vector<std::string>& bounding) {
  const std::string key = LabelOf(target) + "|" + base::Join(bounding, ",");
  const auto found = known_.find(key);
  if (found != known_.end()) return &found->second;
  ASSIGN_OR_RETURN(Enforced enforced, Enforce(target, bounding));
  return &known_.emplace(key, std::move(enforced)).first->second;
}

}  // namespace portcullis::insight
