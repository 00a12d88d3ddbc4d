// Traffic of a pod, from /proc/<pid>/net/dev of its pause process.
#pragma once

#include <optional>
#include <string_view>

#include "cri/types.h"

namespace portcullis::runtime {

// nullopt when the process is gone.
std::optional<cri::NetworkUsage> ReadNetworkUsage(int64_t pid, int64_t now_nanos);

// The file's text; `lo` is left out, eth0 (else the first) is the default interface. Malformed lines are skipped.
cri::NetworkUsage ParseNetDev(std::string_view text, int64_t now_nanos);

}  // namespace portcullis::runtime
