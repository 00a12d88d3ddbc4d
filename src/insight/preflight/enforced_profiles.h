// Targets' profiles as they would be enforced, resolved once for each kind of container.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "insight/preflight/target.h"

namespace portcullis::insight {

class EnforcedProfiles {
 public:
  // For a container with these capabilities. The pointer holds as long as this does.
  Result<const Enforced*> For(const Target& target, const std::vector<std::string>& bounding);

 private:
  std::map<std::string, Enforced> known_;
};

}  // namespace portcullis::insight
