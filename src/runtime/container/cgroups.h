// The host's cgroups, whatever their layout: v1 (a hierarchy per controller), hybrid (v1 plus an empty v2 one) or
// unified (v2).
//
// A cgroup is named by one absolute path, "/kubepods/pod<uid>/<container id>", that stands for the cgroup of that path
// in every hierarchy. Tests give a made-up tree as root.
//
// Where systemd is PID 1, a path that begins with slices ("/kubepods.slice/kubepods-pod1.slice", and a scope in one) is
// that of systemd's units: it makes and removes them (host/systemd/units.h), here is done what it leaves out.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/systemd/units.h"

namespace portcullis::runtime {

enum class CgroupLayout { kV1, kHybrid, kUnified };
std::string_view CgroupLayoutName(CgroupLayout layout);  // "v1", "hybrid", "unified"

// v1 cpu.shares [2, 262144] to v2 cpu.weight [1, 10000], as Kubernetes and the OCI runtimes convert it.
uint64_t WeightOfShares(uint64_t shares);

struct CgroupStats {
  uint64_t cpu_usage_nanos = 0;  // since the cgroup was made
  uint64_t memory_usage_bytes = 0;
  uint64_t memory_working_set_bytes = 0;  // usage without inactive file pages: what the kubelet evicts by
  uint64_t memory_rss_bytes = 0;
  uint64_t page_faults = 0;
  uint64_t major_page_faults = 0;
  std::optional<uint64_t> memory_limit_bytes;  // absent: no limit
  uint64_t swap_usage_bytes = 0;
  uint64_t pids = 0;
};

class Cgroups {
 public:
  // Looks at the tree once. `root` is /sys/fs/cgroup but in tests.
  static Result<Cgroups> Detect(std::string root = "/sys/fs/cgroup");

  CgroupLayout layout() const { return layout_; }

  // From now on slices and scopes are systemd's.
  void UseUnits(std::shared_ptr<const host::Units> units) { units_ = std::move(units); }

  // Makes the cgroup and its missing parents in every hierarchy; harmless when it exists. v2: its parents delegate the
  // controllers, but those that hold processes; v1: a new cpuset inherits cpus and mems. A scope is made with its first
  // process, not here.
  Result<void> Create(const std::string& path) const;

  // Moves a process, in every hierarchy. A scope that is not there is made.
  Result<void> AddProcess(const std::string& path, pid_t pid) const;

  // Removes the cgroup and all below it. Absent is fine; a cgroup that holds processes is an error (EBUSY).
  Result<void> Remove(const std::string& path) const;

  // Removes the cgroup alone: one that holds processes or other cgroups stays (EBUSY, ENOTEMPTY). Absent is fine.
  Result<void> RemoveUnused(const std::string& path) const;

  // All pids in the cgroup and below it, of all hierarchies, sorted; empty when it does not exist. Of what cannot be
  // read (no descriptor is left) Processes tells nothing, and AllProcesses an error: only the latter proves it empty.
  std::vector<pid_t> Processes(const std::string& path) const;
  Result<std::vector<pid_t>> AllProcesses(const std::string& path) const;

  // Kills all processes in the cgroup and below it, and waits until they are gone. Forks do not outrun it: v2 uses
  // cgroup.kill, and where a first round was not enough no new processes are allowed (pids.max). kDeadlineExceeded
  // names the survivors.
  Result<void> KillAll(const std::string& path, std::chrono::milliseconds timeout = std::chrono::seconds(10)) const;

  // KillAll and Remove: nothing of the cgroup is left.
  Result<void> Destroy(const std::string& path, std::chrono::milliseconds timeout = std::chrono::seconds(10)) const;

  // kNotFound when the cgroup does not exist.
  Result<CgroupStats> Stats(const std::string& path) const;

  // Memory limits of a pod's parent cgroup and the like: cpu shares (v1 units; converted to weight), quota, memory
  // limit.
  struct Limits {
    std::optional<uint64_t> cpu_shares;
    std::optional<int64_t> cpu_quota_micros;  // -1: none
    std::optional<uint64_t> cpu_period_micros;
    std::optional<int64_t> memory_bytes;           // -1: none
    std::optional<int64_t> pids;                   // -1: none
    std::map<std::string, std::string> hugepages;  // page size as the files are named ("2MB") -> bytes
    std::map<std::string, std::string> unified;    // v2 file -> content; of no effect elsewhere
    bool operator==(const Limits&) const = default;
  };
  Result<void> SetLimits(const std::string& path, const Limits& limits) const;

  // Inode of the cgroup's v2 directory (what BPF calls cgroup id), else of its v1 `pids` one; 0 when absent.
  uint64_t CgroupId(const std::string& path) const;
  // In one hierarchy: of the v2 one, or of the v1 one of `controller`. 0: there is no such hierarchy, or no cgroup in
  // it.
  uint64_t UnifiedId(const std::string& path) const;
  uint64_t V1Id(const std::string& controller, const std::string& path) const;

  // Directory of `path` in the hierarchy of `controller` ("memory"); in the only hierarchy of a unified host. Empty
  // when the host has no such controller.
  std::string DirectoryOf(const std::string& controller, const std::string& path) const;

 private:
  struct Hierarchy {
    std::string directory;                 // its root
    std::vector<std::string> controllers;  // empty for v2 and named ones
    bool v2 = false;
  };
  Cgroups(CgroupLayout layout, std::vector<Hierarchy> hierarchies);
  bool Exists(const std::string& path) const;       // in some hierarchy
  bool RemoveEmpty(const std::string& path) const;  // false when some of it holds processes or cgroups
  Result<void> CreateUnits(const std::string& path) const;
  Result<void> CheckUnused(const std::string& path) const;
  Result<void> Gather(const std::string& path, std::set<pid_t>& pids) const;  // also what it found before an error

  CgroupLayout layout_;
  std::vector<Hierarchy> hierarchies_;
  std::shared_ptr<const host::Units> units_;  // null: slices and scopes are cgroups like others
};

}  // namespace portcullis::runtime
