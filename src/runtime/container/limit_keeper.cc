#include "runtime/container/limit_keeper.h"

#include "base/log.h"

namespace portcullis::runtime {

void LimitKeeper::Keep(const std::map<std::string, Cgroups::Limits>& limits) {
  std::lock_guard lock(mutex_);
  for (const auto& [path, wanted] : limits) {
    const uint64_t cgroup_id = cgroups_.CgroupId(path);
    Written& last = written_[path];
    if (cgroup_id == 0 || (cgroup_id == last.cgroup_id && wanted == last.limits && last.problem.empty())) continue;
    const auto set = cgroups_.SetLimits(path, wanted);
    if (!set && set.error().message != last.problem) {
      base::LogWarning("limits of a class of pods not set", {{"cgroup", path}, {"error", set.error().message}});
    }
    last = {.cgroup_id = cgroup_id, .limits = wanted, .problem = set ? "" : set.error().message};
  }
}

}  // namespace portcullis::runtime
