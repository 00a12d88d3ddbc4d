// Whose container a process is in, also when it has ended before anybody could ask: a process has the owner
// that its parent had when it was made, until its own cgroup is known.
//
//   ProcessOwners owners;
//   owners.SetCgroup(4711, ReadFile("/proc/4711/cgroup"));
//   owners.Forked(4711, 4712);
//   owners.Exited(4712);
//   owners.OwnerOf(4712)            // still that of 4711
//
// Pure. A pid counts for the process that had it last; ended ones are kept for a while (kMaxEnded of them).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "insight/evidence/cgroup_path.h"

namespace portcullis::insight {

// nullopt inside: known to be in no container.
using ProcessOwner = std::optional<CgroupOwner>;

class ProcessOwners {
 public:
  static constexpr size_t kMaxEnded = 1u << 16;
  static constexpr size_t kMaxProcesses = 1u << 20;

  // The text of /proc/PID/cgroup.
  void SetCgroup(uint32_t pid, std::string_view text);
  void Forked(uint32_t parent, uint32_t child);
  // It ran another program and was gone before its cgroup could be read. In a container it stays; but what a process of
  // no container starts may have been a container's first process, and what a monitor's starts was executed in its
  // container: the OCI runtime, which it starts too, lives longer.
  void MissedExec(uint32_t pid);
  void Exited(uint32_t pid);
  // Events were missed: what is known may be of other processes by now.
  void Forget();

  // nullopt: not known.
  std::optional<ProcessOwner> OwnerOf(uint32_t pid) const;

 private:
  struct Entry {
    std::optional<ProcessOwner> own;
    bool ended = false;
    uint64_t generation = 0;  // tells the processes that had one pid apart
  };
  Entry& Fresh(uint32_t pid);

  std::unordered_map<uint32_t, Entry> entries_;
  std::deque<std::pair<uint32_t, uint64_t>> ended_;
  uint64_t generations_ = 0;
};

}  // namespace portcullis::insight
