// Does the kernel hold the filter that was meant? Used by `portcullis status --verify`.
#pragma once

#include <sys/types.h>

#include <nlohmann/json_fwd.hpp>

#include "cli/status/status.h"

namespace portcullis::cli {

// `meant`: linux.seccomp of the container's runtime spec, null without a profile. Reads the filters of the process
// (host/filter: it is stopped for well below a millisecond) and proves the oldest, which is the OCI runtime's, equal to
// the profile: with the ENOSYS for newer calls that runc and our compiled filters have, or without, as crun's own.
KernelVerdict VerifyFilters(pid_t pid, const nlohmann::json& meant);

}  // namespace portcullis::cli
