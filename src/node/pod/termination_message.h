// The last words of a container: its termination log, or the end of its output.
#pragma once

#include <string>
#include <string_view>

#include "cri/types.h"
#include "node/pod/settings.h"

namespace portcullis::node {

// "" when there are none. Reads only below the node's own folders, whatever paths the status names.
std::string TerminationMessage(const cri::ContainerStatus& status, const PodSettings& settings);

// Lines of a log in CRI format, without their prefixes, cut to the last 80 lines and 2048 bytes.
std::string TailOfCriLog(std::string_view log);

}  // namespace portcullis::node
