// Does a container start under a profile? Tried with the OCI runtimes of this host, which let libseccomp make the
// filter as they do for any Kubernetes node, before the profile is offered to anybody.
//
//   ASSIGN_OR_RETURN(auto starts, TryStarts(profile, {.scratch = "/tmp/x"}));
//   for (const StartOutcome& one : starts) one.runtime, one.no_new_privileges, one.error
//
// The container's program is a few instructions that only end: what fails is the runtime's own work after the filter is
// on, or the filter. Needs root. A libseccomp that spins is ended after the deadline, with its whole cgroup.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/seccomp/resolved.h"

namespace portcullis::runtime {

struct StartOutcome {
  std::string runtime;  // "crun", "runc"
  bool no_new_privileges = false;
  std::string error;  // "": it started and ended with 0
};

struct StartTrialOptions {
  std::string scratch = "/run";                                  // a folder below which a new one is made, and removed
  std::chrono::milliseconds deadline{std::chrono::seconds(20)};  // of each call of a runtime
};

// Every installed runtime (crun, runc), with and without noNewPrivileges, up to the first that fails. Errors are about
// trying: no root, no runtime.
Result<std::vector<StartOutcome>> TryStarts(const seccomp::ResolvedProfile& profile, const StartTrialOptions& options);

}  // namespace portcullis::runtime
