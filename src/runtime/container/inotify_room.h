// Room for conmon under fs.inotify.max_user_instances.
//
// On unified cgroup v2 conmon takes one inotify instance for each container (it watches memory.events). Linux's default
// of 128 is less than a full node needs: conmon goes on without one, but other programs of root, this daemon's next
// start among them, then cannot watch files. On v1 and hybrid hosts conmon uses an eventfd and needs none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "runtime/container/cgroups.h"

namespace portcullis::runtime {

struct InotifyUse {
  uint64_t max_instances = 0;    // fs.inotify.max_user_instances: of one user, here root
  uint64_t taken_by_others = 0;  // instances of root's processes that are no conmon
};

// `proc` is /proc but in tests. Processes that end meanwhile count as having none.
Result<InotifyUse> ReadInotifyUse(const std::string& proc = "/proc");

// Containers (also a pause container where the OCI runtime makes it) that there are instances for; 0 when others took
// all.
uint64_t ContainersWithInotify(const InotifyUse& use);

// What to tell the administrator, or nothing when the room is enough for a full node (the kubelet's 110 pods, with two
// containers each) or the layout needs none.
std::optional<std::string> InotifyWarning(CgroupLayout layout, const InotifyUse& use);

}  // namespace portcullis::runtime
