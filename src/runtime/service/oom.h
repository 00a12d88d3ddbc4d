// Did the kernel kill something in a container because its memory ran out?
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/container/cgroups.h"

namespace portcullis::runtime {

// conmon leaves a file `oom` in the bundle where it can tell (cgroup v1); the cgroup itself counts kills while it
// exists (v2 memory.events, v1 memory.oom_control).
bool WasOomKilled(const std::string& bundle, const Cgroups& cgroups, const std::string& cgroup);

// Where the cgroup is gone with its last process (systemd's scopes) and conmon has seen nothing, the cgroup above it
// still knows on v2: it counts the kills in all that it holds and held. What belongs to no other of its containers
// belongs to the one that has just ended.
class OomLedger {
 public:
  // Kills in `parent` that are neither those of `living`, the containers' cgroups that are still there, nor booked
  // before; they are booked now.
  uint64_t Book(const Cgroups& cgroups, const std::string& parent, const std::vector<std::string>& living);
  void Forget(const std::string& parent);  // the cgroup is gone, and counts anew when it is made again

 private:
  std::mutex mutex_;
  std::map<std::string, uint64_t> booked_;
};

// The number after "oom_kill " in such a file; 0 when there is none. For tests.
uint64_t OomKillCount(std::string_view text);

}  // namespace portcullis::runtime
