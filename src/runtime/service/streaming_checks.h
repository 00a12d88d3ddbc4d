// What Exec and Attach ask for must make sense (k8s.io/cri-streaming's rules and texts): a container, at least one
// stream, and no separate stderr on a terminal. kInvalidArgument for anything else. Pure.
#pragma once

#include <string>

#include "base/result.h"

namespace portcullis::runtime {

Result<void> CheckStreams(const std::string& container_id, bool tty, bool input, bool output, bool error);

}  // namespace portcullis::runtime
