// The filter that libseccomp makes of a profile, built as the OCI runtimes do it, for comparison with ours.
#pragma once

#include "base/result.h"
#include "engine/bpf/program.h"
#include "engine/seccomp/resolved.h"

namespace portcullis::support {

enum class Shape : unsigned { kLinear = 1, kBinaryTree = 2 };  // SCMP_FLTATR_CTL_OPTIMIZE

// Errors carry libseccomp's errno and the rule. It may never return (docs/profiles.md, "What libseccomp makes of it"):
// unknown profiles belong into a child process with a deadline.
Result<bpf::Program> BuildWithLibseccomp(const seccomp::ResolvedProfile& profile, Shape shape);

}  // namespace portcullis::support
