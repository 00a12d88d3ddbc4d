// Under which profile a container will run: a runtime's release, a kernel, an architecture, and what its OCI runtime
// adds.
//
//   Target target{.name = "containerd@2.2.4", .profile = ..., .flavour = Flavour::kContainerd, .kernel = {6, 1}};
//   ASSIGN_OR_RETURN(Enforced enforced, Enforce(target, BoundingOf(target, {.add = {"NET_ADMIN"}})));
//   Possible(enforced, call)   -> what the call may get
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/filter/behaviour.h"
#include "engine/seccomp/evaluate.h"
#include "engine/seccomp/profile.h"
#include "engine/seccomp/resolve.h"
#include "engine/seccomp/resolved.h"
#include "insight/evidence/evidence.h"

namespace portcullis::insight {

struct Target {
  std::string name;  // "containerd@2.2.4", or a file
  seccomp::Profile profile;
  seccomp::Flavour flavour = seccomp::Flavour::kPortcullis;
  seccomp::KernelVersion kernel;
  syscalls::Arch host = syscalls::NativeArch();
  // What calls newer than the profile get: ENOSYS under runc and Portcullis, the default action under crun.
  filter::NewerSyscalls newer = filter::NewerSyscalls::kEnosys;
};

std::string LabelOf(const Target& target);  // "containerd@2.2.4, kernel 6.1, amd64"

// Runc, unless the runtime uses crun by itself (CRI-O from 1.31, Podman).
filter::NewerSyscalls UsualNewer(seccomp::Flavour flavour);

// A container's capabilities as its manifest asks for them: CRI's spelling, with or without CAP_.
struct Capabilities {
  std::vector<std::string> add;
  std::vector<std::string> drop;
};
// The bounding set that the runtime gives: its own defaults (14 of containerd and Docker, 9 of CRI-O), changed by the
// request. Error: an unknown capability.
Result<std::vector<std::string>> BoundingOf(const Target& target, const Capabilities& request);

// A target's profile for one kind of container.
struct Enforced {
  seccomp::ResolvedProfile profile;
  filter::Behaviour behaviour;  // with the OCI runtime's answer to newer calls
  syscalls::Arch host = syscalls::NativeArch();
};
Result<Enforced> Enforce(const Target& target, const std::vector<std::string>& bounding);

// What a call gets.
struct Answer {
  seccomp::Decision decision;
  bool newer = false;  // ENOSYS because the call is newer than everything that the profile names
  bool operator==(const Answer&) const = default;
};
// All that it may get, as far as its arguments are known; nullopt: the call is of an architecture that has no programs
// on such a host (a recording of another machine).
std::optional<std::vector<Answer>> Possible(const Enforced& enforced, const Call& call);

// The kernel carries it out (ALLOW, LOG).
bool LetsThrough(const Answer& answer);
// An errno, kKilled, or 0 for what lets a call through. TRACE without a tracer and NOTIFY without a listener are
// ENOSYS.
int ErrnoOf(const Answer& answer);
// "EPERM by the default action", "ENOSYS by rule 12", "killed: SCMP_ARCH_X32 is not listed".
std::string TextOf(const Enforced& enforced, const Call& call, const Answer& answer);

}  // namespace portcullis::insight
