// Keeps the cpu shares of cgroups that others make and remove: the kubelet's classes of pods.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "runtime/container/cgroups.h"

namespace portcullis::runtime {

class ShareKeeper {
 public:
  explicit ShareKeeper(Cgroups cgroups) : cgroups_(std::move(cgroups)) {}

  // Cgroup path -> cpu.shares. Those that do not exist are left for the next call, those that have theirs are not
  // written again. Problems are logged. For any thread.
  void Keep(const std::map<std::string, uint64_t>& shares);

 private:
  struct Written {
    uint64_t cgroup_id = 0;
    uint64_t shares = 0;
    bool operator==(const Written&) const = default;
  };

  const Cgroups cgroups_;
  std::mutex mutex_;
  std::map<std::string, Written> written_;
};

}  // namespace portcullis::runtime
