#include "runtime/container/share_keeper.h"

#include "base/log.h"

namespace portcullis::runtime {

void ShareKeeper::Keep(const std::map<std::string, uint64_t>& shares) {
  std::lock_guard lock(mutex_);
  for (const auto& [path, wanted] : shares) {
    const Written now{.cgroup_id = cgroups_.CgroupId(path), .shares = wanted};
    Written& last = written_[path];
    if (now.cgroup_id == 0 || now == last) continue;
    if (const auto set = cgroups_.SetLimits(path, {.cpu_shares = wanted}); !set) {
      base::LogWarning("cpu shares of a class of pods not set", {{"cgroup", path}, {"error", set.error().message}});
    }
    last = now;  // a failure is told once
  }
}

}  // namespace portcullis::runtime
