// Keeps the limits of cgroups that others make and remove: the kubelet's classes of pods.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "runtime/container/cgroups.h"

namespace portcullis::runtime {

class LimitKeeper {
 public:
  explicit LimitKeeper(Cgroups cgroups) : cgroups_(std::move(cgroups)) {}

  // By cgroup path. Those that do not exist are left for the next call, those that have theirs are not written again.
  // What the kernel refuses (a memory limit below what is in use, say) is logged once and tried again each time. For
  // any thread.
  void Keep(const std::map<std::string, Cgroups::Limits>& limits);

 private:
  struct Written {
    uint64_t cgroup_id = 0;
    Cgroups::Limits limits;
    std::string problem;
  };

  const Cgroups cgroups_;
  std::mutex mutex_;
  std::map<std::string, Written> written_;
};

}  // namespace portcullis::runtime
