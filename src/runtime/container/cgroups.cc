#include "runtime/container/cgroups.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/clock.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "host/systemd/unit_names.h"
#include "runtime/container/slice_properties.h"

namespace portcullis::runtime {
namespace {

using std::chrono::milliseconds;

bool IsDirectory(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

uint64_t InodeOf(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

// A cgroup of ours, never a root: killing that would kill the host.
Result<void> CheckPath(const std::string& path) {
  if (path.size() < 2 || path[0] != '/' || base::CleanPath(path) != path) {
    return Fail(Code::kInvalidArgument, "cgroup {}: want a clean absolute path below the root", base::Quote(path));
  }
  return {};
}

// The cgroup directory and all below it, children before parents.
void WalkUp(const std::string& directory, const std::function<void(const std::string&)>& visit) {
  if (!IsDirectory(directory)) return;
  if (const auto names = base::ListDir(directory)) {
    for (const std::string& name : *names) WalkUp(directory + "/" + name, visit);
  }
  visit(directory);
}

std::vector<pid_t> ParseProcs(std::string_view text) {
  std::vector<pid_t> out;
  for (const std::string& line : base::Split(text, '\n')) {
    // 0 stands for a process that this pid namespace cannot see.
    if (const auto pid = base::ParseUint(line); pid && *pid > 0 && *pid < (1u << 30))
      out.push_back(static_cast<pid_t>(*pid));
  }
  return out;
}

// Of a cgroup and all below it. What can be read is gathered, whatever cannot is an error: a cgroup that is not known
// to be empty is not.
Result<void> GatherProcs(const std::string& directory, std::set<pid_t>& pids) {
  const auto may_be = [](const Error& error) {
    // Gone meanwhile; or threaded, and then its processes are listed further up.
    return error.sys_errno == ENOENT || error.sys_errno == ENODEV || error.sys_errno == EOPNOTSUPP;
  };
  Result<void> failure;
  const auto note = [&](Result<void> result) {
    if (!result && failure && !may_be(result.error())) failure = std::move(result);
  };
  const auto names = base::ListDir(directory);
  if (!names) note(Failure(names.error()));
  for (const std::string& name : names.value_or(std::vector<std::string>())) {
    if (IsDirectory(directory + "/" + name)) note(GatherProcs(directory + "/" + name, pids));
  }
  const auto text = base::ReadFile(directory + "/cgroup.procs");
  if (!text) note(Failure(text.error()));
  for (const pid_t pid : ParseProcs(text.value_or(""))) pids.insert(pid);
  return failure;
}

std::optional<uint64_t> ReadNumber(const std::string& path) {
  const auto text = base::ReadFile(path);
  if (!text) return std::nullopt;
  return base::ParseUint(base::Trim(*text));
}

// "inactive_file 4096\n..." as memory.stat and cpu.stat have it.
std::map<std::string, uint64_t> ReadKeyed(const std::string& path) {
  std::map<std::string, uint64_t> out;
  const auto text = base::ReadFile(path);
  if (!text) return out;
  for (const std::string& line : base::Split(*text, '\n')) {
    const size_t space = line.find(' ');
    if (space == std::string::npos) continue;
    if (const auto value = base::ParseUint(base::Trim(std::string_view(line).substr(space + 1))))
      out[line.substr(0, space)] = *value;
  }
  return out;
}

uint64_t ValueOf(const std::map<std::string, uint64_t>& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? 0 : found->second;
}

// For files that some layouts lack, or refuse, without harm.
void WriteIfPossible(const std::string& path, std::string_view data) {
  if (base::Exists(path)) static_cast<void>(base::WriteKernelFile(path, data));
}

// A new v1 cpuset takes no process before it has cpus and mems.
Result<void> InheritCpuset(const std::string& directory) {
  const std::string parent = directory.substr(0, directory.rfind('/'));
  for (const char* file : {"/cpuset.cpus", "/cpuset.mems"}) {
    const auto own = base::ReadFile(directory + file);
    if (!own || !base::Trim(*own).empty()) continue;
    ASSIGN_OR_RETURN(const std::string inherited, base::ReadFile(parent + file));
    TRY(base::WriteKernelFile(directory + file, base::Trim(inherited)));
  }
  return {};
}

// v2: a cgroup below the root that holds processes must not delegate. The kernel allows it for some controllers, but
// then makes the cgroup the root of a threaded subtree, and no process can be moved into the cgroups below it.
bool MayDelegate(const std::string& directory) {
  if (!base::Exists(directory + "/cgroup.type")) return true;  // the host's root, which the rule leaves out
  const auto processes = base::ReadFile(directory + "/cgroup.procs");
  return processes && base::Trim(*processes).empty();
}

// v2: a controller works in a cgroup only when its parent delegates it. One that cannot be is left out, and its limits
// fail later.
void DelegateControllers(const std::string& directory) {
  if (!MayDelegate(directory)) return;
  const auto available = base::ReadFile(directory + "/cgroup.controllers");
  if (!available) return;
  for (const std::string& controller : base::Split(base::Trim(*available), ' ')) {
    if (!controller.empty()) WriteIfPossible(directory + "/cgroup.subtree_control", "+" + controller);
  }
}

struct OpenProcess {
  pid_t pid;
  base::UniqueFd pidfd;
};

// Waits until all have ended or the time is over.
void WaitForEnd(std::vector<OpenProcess>& processes, std::chrono::steady_clock::time_point deadline) {
  while (!processes.empty()) {
    std::vector<pollfd> fds;
    for (const OpenProcess& process : processes) fds.push_back({process.pidfd.get(), POLLIN, 0});
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - base::Now()).count();
    if (left <= 0 ||
        (::poll(fds.data(), fds.size(), static_cast<int>(std::min<int64_t>(left, 1000))) < 0 && errno != EINTR))
      return;
    size_t index = 0;
    std::erase_if(processes, [&](const OpenProcess&) { return fds[index++].revents != 0; });
  }
}

// systemd ends what is in the unit, and forgets it.
Result<void> StopUnit(const host::Units& units, const std::string& path) {
  return units.Stop(std::string(host::LastPart(path)));
}

}  // namespace

uint64_t WeightOfShares(uint64_t shares) {
  const uint64_t clamped = std::clamp<uint64_t>(shares, 2, 262144);
  return 1 + (clamped - 2) * 9999 / 262142;
}

std::string_view CgroupLayoutName(CgroupLayout layout) {
  switch (layout) {
    case CgroupLayout::kV1:
      return "v1";
    case CgroupLayout::kHybrid:
      return "hybrid";
    case CgroupLayout::kUnified:
      return "unified";
  }
  return "";
}

Cgroups::Cgroups(CgroupLayout layout, std::vector<Hierarchy> hierarchies)
    : layout_(layout), hierarchies_(std::move(hierarchies)) {}

Result<Cgroups> Cgroups::Detect(std::string root) {
  if (base::Exists(root + "/cgroup.controllers")) return Cgroups(CgroupLayout::kUnified, {{root, {}, true}});
  ASSIGN_OR_RETURN(const std::vector<std::string> names, base::ListDir(root));
  CgroupLayout layout = CgroupLayout::kV1;
  std::vector<Hierarchy> hierarchies;
  for (const std::string& name : names) {
    const std::string directory = root + "/" + name;
    // `cpu` is often a link to `cpu,cpuacct`: one hierarchy counts once.
    if (!IsDirectory(directory) || !base::Exists(directory + "/cgroup.procs")) continue;
    const bool v2 = base::Exists(directory + "/cgroup.controllers");
    if (v2) layout = CgroupLayout::kHybrid;
    hierarchies.push_back({directory, v2 ? std::vector<std::string>{} : base::Split(name, ','), v2});
  }
  if (hierarchies.empty()) return Fail(Code::kFailedPrecondition, "no cgroup hierarchy is mounted below {}", root);
  return Cgroups(layout, std::move(hierarchies));
}

std::string Cgroups::DirectoryOf(const std::string& controller, const std::string& path) const {
  for (const Hierarchy& hierarchy : hierarchies_) {
    const bool has = std::find(hierarchy.controllers.begin(), hierarchy.controllers.end(), controller) !=
                     hierarchy.controllers.end();
    if (has || layout_ == CgroupLayout::kUnified) return hierarchy.directory + path;
  }
  return "";
}

bool Cgroups::Exists(const std::string& path) const {
  return std::any_of(hierarchies_.begin(), hierarchies_.end(),
                     [&](const Hierarchy& hierarchy) { return IsDirectory(hierarchy.directory + path); });
}

// The slices that `path` begins with.
Result<void> Cgroups::CreateUnits(const std::string& path) const {
  const host::UnitsOfPath units = host::SplitUnits(path);
  if (units.slice.empty() || Exists(units.slice)) return {};
  return units_->StartSlice(std::string(host::LastPart(units.slice)));
}

Result<void> Cgroups::Create(const std::string& path) const {
  TRY(CheckPath(path));
  if (units_) {
    TRY(CreateUnits(path));
    if (host::IsScopePath(path) && !Exists(path)) return {};
  }
  const host::UnitsOfPath units = units_ ? host::SplitUnits(path) : host::UnitsOfPath();
  const size_t of_units = std::max(units.slice.size(), units.scope.size());  // there systemd delegates
  for (const Hierarchy& hierarchy : hierarchies_) {
    std::string directory = hierarchy.directory;
    const bool cpuset =
        std::find(hierarchy.controllers.begin(), hierarchy.controllers.end(), "cpuset") != hierarchy.controllers.end();
    for (const std::string& part : base::Split(path.substr(1), '/')) {
      if (hierarchy.v2 && directory.size() - hierarchy.directory.size() >= of_units) DelegateControllers(directory);
      directory += "/" + part;
      if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST)
        return FailErrno(errno, "make cgroup {}", directory);
      if (cpuset) TRY(InheritCpuset(directory));
    }
  }
  return {};
}

Result<void> Cgroups::AddProcess(const std::string& path, pid_t pid) const {
  TRY(CheckPath(path));
  if (units_ && host::IsScopePath(path) && !Exists(path)) {
    const std::string slice = host::SplitUnits(path).slice;
    TRY(units_->StartScope(std::string(host::LastPart(path)), std::string(host::LastPart(slice)), pid));
    if (layout_ == CgroupLayout::kUnified) return {};
    TRY(Create(path));  // in the hierarchies that systemd does not care for
  }
  for (const Hierarchy& hierarchy : hierarchies_) {
    TRY(base::WriteKernelFile(hierarchy.directory + path + "/cgroup.procs", std::to_string(pid)));
  }
  return {};
}

Result<void> Cgroups::Remove(const std::string& path) const {
  TRY(CheckPath(path));
  if (units_ && (host::IsSlicePath(path) || host::IsScopePath(path))) {
    ASSIGN_OR_RETURN(const std::vector<pid_t> processes, AllProcesses(path));
    if (!processes.empty()) return FailErrno(EBUSY, "remove cgroup {}", path);
    TRY(StopUnit(*units_, path));
  }
  // The kernel lets go of a killed process's cgroup a moment after its end.
  constexpr int kTries = 50;
  constexpr int kPauseMillis = 10;
  for (int attempt = 0;; ++attempt) {
    int problem = 0;
    std::string where;
    for (const Hierarchy& hierarchy : hierarchies_) {
      WalkUp(hierarchy.directory + path, [&](const std::string& directory) {
        if (::rmdir(directory.c_str()) != 0 && errno != ENOENT) {
          problem = errno;
          where = directory;
        }
      });
    }
    if (problem == 0) return {};
    if (problem != EBUSY || attempt == kTries || !Processes(path).empty())
      return FailErrno(problem, "remove cgroup {}", where);
    ::poll(nullptr, 0, kPauseMillis);
  }
}

// Stopping a slice ends all that is in it, so it is looked at first.
Result<void> Cgroups::CheckUnused(const std::string& path) const {
  for (const Hierarchy& hierarchy : hierarchies_) {
    const std::string directory = hierarchy.directory + path;
    const auto processes = base::ReadFile(directory + "/cgroup.procs");
    if (!processes && processes.error().sys_errno != ENOENT) return Failure(processes.error());
    if (processes && !ParseProcs(*processes).empty()) return FailErrno(EBUSY, "remove cgroup {}", directory);
    const auto names = base::ListDir(directory);
    if (!names) continue;  // not in this hierarchy
    for (const std::string& name : *names) {
      if (IsDirectory(directory + "/" + name)) return FailErrno(ENOTEMPTY, "remove cgroup {}", directory);
    }
  }
  return {};
}

Result<void> Cgroups::RemoveUnused(const std::string& path) const {
  TRY(CheckPath(path));
  if (units_ && host::IsSlicePath(path)) {
    TRY(CheckUnused(path));
    TRY(StopUnit(*units_, path));
  }
  for (const Hierarchy& hierarchy : hierarchies_) {
    const std::string directory = hierarchy.directory + path;
    if (::rmdir(directory.c_str()) != 0 && errno != ENOENT) return FailErrno(errno, "remove cgroup {}", directory);
  }
  return {};
}

std::vector<pid_t> Cgroups::Processes(const std::string& path) const {
  std::set<pid_t> pids;
  static_cast<void>(Gather(path, pids));
  return {pids.begin(), pids.end()};
}

Result<std::vector<pid_t>> Cgroups::AllProcesses(const std::string& path) const {
  std::set<pid_t> pids;
  TRY(Gather(path, pids));
  return std::vector<pid_t>(pids.begin(), pids.end());
}

Result<void> Cgroups::Gather(const std::string& path, std::set<pid_t>& pids) const {
  TRY(CheckPath(path));
  Result<void> failure;
  for (const Hierarchy& hierarchy : hierarchies_) {
    auto gathered = GatherProcs(hierarchy.directory + path, pids);
    if (!gathered && failure) failure = std::move(gathered);
  }
  return failure;
}

Result<void> Cgroups::KillAll(const std::string& path, milliseconds timeout) const {
  TRY(CheckPath(path));
  const auto deadline = base::Now() + timeout;
  Result<std::vector<pid_t>> left = AllProcesses(path);
  if (!left) return Wrap(std::move(left).error(), "kill cgroup {}", path);
  if (left->empty()) return {};

  const std::string pids_max = DirectoryOf("pids", path) + "/pids.max";
  const auto pids_limit = base::ReadFile(pids_max);
  bool forks_stopped = false;
  for (const Hierarchy& hierarchy : hierarchies_) {
    WalkUp(hierarchy.directory + path, [&](const std::string& directory) {
      // Frozen processes do not die before they thaw; where a file is missing there is nothing to thaw or kill by.
      for (const auto& [file, word] :
           {std::pair{"/freezer.state", "THAWED"}, {"/cgroup.freeze", "0"}, {"/cgroup.kill", "1"}}) {
        WriteIfPossible(directory + file, word);
      }
    });
  }

  left = AllProcesses(path);
  while (left && !left->empty() && base::Now() < deadline) {
    std::vector<OpenProcess> victims;
    for (const pid_t pid : *left) {
      base::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
      if (pidfd.valid()) victims.push_back({pid, std::move(pidfd)});
    }
    // Read again: a pid that is still listed belongs to the process that its descriptor holds.
    const std::vector<pid_t> still = Processes(path);
    std::erase_if(victims, [&](const OpenProcess& victim) {
      return !std::binary_search(still.begin(), still.end(), victim.pid) ||
             ::syscall(SYS_pidfd_send_signal, victim.pidfd.get(), SIGKILL, nullptr, 0) != 0;
    });
    WaitForEnd(victims, std::min(deadline, base::Now() + milliseconds(500)));
    left = AllProcesses(path);
    // A fork bomb must not outrun the reading of cgroup.procs. Not before the first round: a process whose fork fails
    // may end by itself, with another exit code than that of a killed one.
    const bool some = left && !left->empty();
    if (some && !forks_stopped && pids_limit) forks_stopped = base::WriteKernelFile(pids_max, "0").has_value();
  }
  if (forks_stopped) WriteIfPossible(pids_max, base::Trim(*pids_limit));
  if (!left) return Wrap(std::move(left).error(), "kill cgroup {}", path);
  if (left->empty()) return {};
  std::vector<std::string> names;
  for (const pid_t pid : *left) names.push_back(std::to_string(pid));
  return Fail(Code::kDeadlineExceeded, "kill cgroup {}: processes {} live on", path, base::Join(names, ", "));
}

// The kernel says by itself whether anything is left in there.
bool Cgroups::RemoveEmpty(const std::string& path) const {
  return std::all_of(hierarchies_.begin(), hierarchies_.end(), [&](const Hierarchy& hierarchy) {
    return ::rmdir((hierarchy.directory + path).c_str()) == 0 || errno == ENOENT;
  });
}

Result<void> Cgroups::Destroy(const std::string& path, milliseconds timeout) const {
  TRY(CheckPath(path));
  const bool is_unit = units_ && (host::IsSlicePath(path) || host::IsScopePath(path));
  if (!is_unit && RemoveEmpty(path)) return {};
  TRY(KillAll(path, timeout));
  return Remove(path);
}

Result<CgroupStats> Cgroups::Stats(const std::string& path) const {
  TRY(CheckPath(path));
  const std::string memory = DirectoryOf("memory", path);
  const std::string pids = DirectoryOf("pids", path);
  if (!IsDirectory(memory)) return Fail(Code::kNotFound, "cgroup {} does not exist", path);
  CgroupStats out;
  const std::map<std::string, uint64_t> stat = ReadKeyed(memory + "/memory.stat");
  uint64_t inactive_file = 0;
  if (layout_ == CgroupLayout::kUnified) {
    out.cpu_usage_nanos = ValueOf(ReadKeyed(memory + "/cpu.stat"), "usage_usec") * 1000;
    out.memory_usage_bytes = ReadNumber(memory + "/memory.current").value_or(0);
    out.memory_limit_bytes = ReadNumber(memory + "/memory.max");  // "max" is no number
    out.swap_usage_bytes = ReadNumber(memory + "/memory.swap.current").value_or(0);
    out.memory_rss_bytes = ValueOf(stat, "anon");
    out.page_faults = ValueOf(stat, "pgfault");
    out.major_page_faults = ValueOf(stat, "pgmajfault");
    inactive_file = ValueOf(stat, "inactive_file");
  } else {
    out.cpu_usage_nanos = ReadNumber(DirectoryOf("cpuacct", path) + "/cpuacct.usage").value_or(0);
    out.memory_usage_bytes = ReadNumber(memory + "/memory.usage_in_bytes").value_or(0);
    constexpr uint64_t kUnlimited = uint64_t{1} << 62;  // v1 writes "none" as the largest page-aligned number
    if (const auto limit = ReadNumber(memory + "/memory.limit_in_bytes"); limit && *limit < kUnlimited)
      out.memory_limit_bytes = limit;
    out.swap_usage_bytes = ValueOf(stat, "total_swap");
    out.memory_rss_bytes = ValueOf(stat, "total_rss");
    out.page_faults = ValueOf(stat, "total_pgfault");
    out.major_page_faults = ValueOf(stat, "total_pgmajfault");
    inactive_file = ValueOf(stat, "total_inactive_file");
  }
  out.memory_working_set_bytes = out.memory_usage_bytes - std::min(out.memory_usage_bytes, inactive_file);
  out.pids = ReadNumber(pids + "/pids.current").value_or(0);
  return out;
}

Result<void> Cgroups::SetLimits(const std::string& path, const Limits& limits) const {
  TRY(CheckPath(path));
  const std::string cpu = DirectoryOf("cpu", path);
  const std::string memory = DirectoryOf("memory", path);
  const std::string pids = DirectoryOf("pids", path);
  const auto number_or_max = [](int64_t value) { return value < 0 ? std::string("max") : std::to_string(value); };
  for (const auto& [size, bytes] : limits.hugepages) {
    const bool unified = layout_ == CgroupLayout::kUnified;
    TRY(base::WriteKernelFile(
        fmt::format("{}/hugetlb.{}.{}", DirectoryOf("hugetlb", path), size, unified ? "max" : "limit_in_bytes"),
        bytes));
  }
  if (layout_ == CgroupLayout::kUnified) {
    for (const auto& [file, content] : limits.unified) {
      if (file.find('/') != std::string::npos || file.find('.') == std::string::npos)
        return Fail(Code::kInvalidArgument, "unified: {} is no cgroup file", base::Quote(file));
      TRY(base::WriteKernelFile(cpu + "/" + file, content));
    }
  }
  if (units_ && (host::IsSlicePath(path) || host::IsScopePath(path))) {
    return units_->SetProperties(std::string(host::LastPart(path)), SliceProperties(limits, layout_));
  }
  if (limits.pids) TRY(base::WriteKernelFile(pids + "/pids.max", number_or_max(*limits.pids)));
  if (layout_ == CgroupLayout::kUnified) {
    if (limits.cpu_shares)
      TRY(base::WriteKernelFile(cpu + "/cpu.weight", std::to_string(WeightOfShares(*limits.cpu_shares))));
    if (limits.cpu_quota_micros || limits.cpu_period_micros) {
      const std::string quota = number_or_max(limits.cpu_quota_micros.value_or(-1));
      TRY(base::WriteKernelFile(cpu + "/cpu.max",
                                fmt::format("{} {}", quota, limits.cpu_period_micros.value_or(100000))));
    }
    if (limits.memory_bytes) TRY(base::WriteKernelFile(memory + "/memory.max", number_or_max(*limits.memory_bytes)));
    return {};
  }
  if (limits.cpu_shares) TRY(base::WriteKernelFile(cpu + "/cpu.shares", std::to_string(*limits.cpu_shares)));
  if (limits.cpu_period_micros)
    TRY(base::WriteKernelFile(cpu + "/cpu.cfs_period_us", std::to_string(*limits.cpu_period_micros)));
  if (limits.cpu_quota_micros)
    TRY(base::WriteKernelFile(cpu + "/cpu.cfs_quota_us", std::to_string(*limits.cpu_quota_micros)));
  if (limits.memory_bytes)
    TRY(base::WriteKernelFile(memory + "/memory.limit_in_bytes", std::to_string(*limits.memory_bytes)));
  return {};
}

uint64_t Cgroups::CgroupId(const std::string& path) const {
  std::string directory = DirectoryOf("pids", path);
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (hierarchy.v2) directory = hierarchy.directory + path;
  }
  return InodeOf(directory);
}

uint64_t Cgroups::UnifiedId(const std::string& path) const {
  for (const Hierarchy& hierarchy : hierarchies_) {
    if (hierarchy.v2) return InodeOf(hierarchy.directory + path);
  }
  return 0;
}

uint64_t Cgroups::V1Id(const std::string& controller, const std::string& path) const {
  return layout_ == CgroupLayout::kUnified ? 0 : InodeOf(DirectoryOf(controller, path));
}

}  // namespace portcullis::runtime
