// The request of pause_protocol.h, read. No allocation: strings stay where they are in the request.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "helper/pause_protocol.h"

namespace portcullis::helper {

struct Sysctl {
  const char* name;
  const char* value;
};

struct PauseOptions {
  int namespaces = 0;  // CLONE_NEW...
  const char* network = nullptr;
  const char* root = nullptr;
  const char* hostname = nullptr;
  const char* oom_score_adj = nullptr;
  const char* device_cgroup = nullptr;
  Sysctl sysctls[kMaxPauseSysctls];
  std::size_t sysctl_count = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  gid_t groups[kMaxPauseGroups];
  std::size_t group_count = 0;
  bool has_filter = false;
  std::uint32_t filter_flags = 0;
};

// `request` has `size` bytes, and is written to. Null when all is well; else what is wrong, as a constant text.
const char* ReadPauseOptions(char* request, std::size_t size, PauseOptions& options);

}  // namespace portcullis::helper
