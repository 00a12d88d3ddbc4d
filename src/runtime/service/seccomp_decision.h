// Which seccomp profile does a container or sandbox get? Pure: the CRI fields in, the decision out.
//
//   privileged                      none, whatever else is set (the profile file is not even looked at)
//   seccomp present                 its type; an empty message is RuntimeDefault, CRI's zero value
//   seccomp absent, path given      the older string: runtime/default, docker/default, unconfined, localhost/<path>
//   neither                         none
//
// Texts and order of the checks are containerd's (internal/cri/sputil/seccomp_linux.go of v2.3).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cri/types.h"

namespace portcullis::runtime {

enum class SeccompSource { kNone, kRuntimeDefault, kLocalhost };

struct SeccompRequest {
  std::optional<cri::SecurityProfile> profile;  // CRI `seccomp`
  std::string legacy_path;                      // CRI `seccomp_profile_path`
  bool privileged = false;
  bool kernel_has_seccomp = true;
};

struct SeccompDecision {
  SeccompSource source = SeccompSource::kNone;
  std::string localhost_path;  // absolute, for kLocalhost

  bool operator==(const SeccompDecision&) const = default;
};

Result<SeccompDecision> DecideSeccomp(const SeccompRequest& request);

// From a container's and a sandbox's security context (absent: nothing was asked for).
SeccompRequest SeccompRequestOf(const std::optional<cri::LinuxContainerSecurityContext>& context,
                                bool kernel_has_seccomp);
SeccompRequest SeccompRequestOf(const std::optional<cri::LinuxSandboxSecurityContext>& context,
                                bool kernel_has_seccomp);

}  // namespace portcullis::runtime
