// The filter that this host's libseccomp makes of a profile, the way the OCI runtimes ask for it: what a container
// without our own filter really gets, for comparison (`portcullis profile ... --by libseccomp`, tests/agreement,
// bench/engine).
#pragma once

#include <string>

#include "base/result.h"
#include "engine/bpf/program.h"
#include "engine/seccomp/resolved.h"

namespace portcullis::host {

enum class Shape : unsigned { kLinear = 1, kBinaryTree = 2 };  // SCMP_FLTATR_CTL_OPTIMIZE

// Errors carry libseccomp's errno and the rule. It may never return (docs/profiles.md, "What lint looks for"): profiles
// that are not known to be harmless go through BuildInChild.
Result<bpf::Program> BuildWithLibseccomp(const seccomp::ResolvedProfile& profile, Shape shape);

// What runc 1.1.5 and later put before libseccomp's filter: ENOSYS for numbers above the newest that the profile names
// and libseccomp knows, by architecture; nothing when the default action is ALLOW, LOG or TRACE (runc,
// libcontainer/seccomp/patchbpf).
Result<bpf::Program> PrependRuncStub(const seccomp::ResolvedProfile& profile, bpf::Program filter);

// BuildWithLibseccomp in a child process, for programs with one thread. kDeadlineExceeded: libseccomp did not come back
// in time.
Result<bpf::Program> BuildInChild(const seccomp::ResolvedProfile& profile, Shape shape, unsigned seconds);

std::string LibseccompVersion();  // "2.5.4"

}  // namespace portcullis::host
