// Linux capabilities of a container: what add/drop lists make of the default set.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace portcullis::oci {

struct CapabilityRequest {
  bool privileged = false;           // everything the daemon has; add and drop are ignored, as in containerd
  std::vector<std::string> add;      // CRI spelling: "NET_ADMIN", any case, with or without CAP_; "ALL"
  std::vector<std::string> drop;     // the same
  std::vector<std::string> ambient;  // added to the set and raised as ambient
  std::vector<std::string> daemon;   // what the daemon itself may hand out: "CAP_..." names
};

struct CapabilitySet {
  std::vector<std::string> bounding;  // also effective and permitted
  std::vector<std::string> ambient;
  std::vector<std::string> notes;  // capabilities asked for by name that the daemon does not have
};

// containerd's order: ALL in add, ALL in drop, then single additions, then single removals; then cut to what the daemon
// has. An unknown name is an error (kInvalidArgument): `unknown capability "CAP_FOO" to add`.
// The bounding set is what a seccomp profile has to be resolved for.
Result<CapabilitySet> ComputeCapabilities(const CapabilityRequest& request);

}  // namespace portcullis::oci
