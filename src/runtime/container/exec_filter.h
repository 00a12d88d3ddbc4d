// An exec is under the container's filter because the OCI runtime kept it. runc keeps the profile in the container's
// state, without which it does nothing; crun keeps the filter in a file beside the state, and runs the command under
// none when that file is gone (seen with 1.8.1).
#pragma once

#include <string>

#include "base/result.h"

namespace portcullis::runtime {

// `state` is the container's folder below the OCI runtime's root. An error when its spec has a profile, and crun no
// filter any more.
Result<void> CheckExecFilter(const std::string& state, const std::string& bundle);

}  // namespace portcullis::runtime
