// What portcullis-pause (src/helper) is to do for a sandbox, from the same OCI runtime spec that the sandbox's status
// shows. Pure.
//
//   ASSIGN_OR_RETURN(std::string request, PauseRequest(spec, {.filter_flags = flags}));
//
// kUnimplemented: the spec asks for something that the helper does not do (a device, a mount, a user namespace, a
// sysctl of the host, ...); the text says what, and the OCI runtime is to be used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "runtime/container/cgroups.h"
#include "spec/oci/runtime_spec.h"

namespace portcullis::runtime {

struct PauseRequestExtras {
  std::optional<uint32_t> filter_flags;  // SECCOMP_FILTER_FLAG_*; absent: the spec has no profile
  std::string device_cgroup;             // cgroup v2 folder for the spec's device rule; "": v1, where it is a file
};

Result<std::string> PauseRequest(const oci::Spec& spec, const PauseRequestExtras& extras);

// The spec's limits, to be set on the sandbox's cgroup.
Cgroups::Limits PauseLimits(const oci::Spec& spec);

}  // namespace portcullis::runtime
