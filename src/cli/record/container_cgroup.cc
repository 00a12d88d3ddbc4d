#include "cli/record/container_cgroup.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "host/proc/process.h"
#include "insight/evidence/cgroup_path.h"

namespace portcullis::cli {
namespace {

constexpr size_t kShortestId = 6;

double UptimeSeconds(const std::string& proc) {
  const auto text = base::ReadFile(proc + "/uptime");
  double seconds = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), seconds);
  return seconds;
}

}  // namespace

std::map<std::string, std::string> CgroupPaths(std::string_view text) {
  std::map<std::string, std::string> paths;
  for (const host::ProcessCgroup& cgroup : host::ParseCgroups(text)) {
    for (const std::string& controller : cgroup.controllers) paths[controller] = cgroup.path;
  }
  return paths;
}

std::string CgroupOfContainer(std::string_view path, std::string_view id) {
  const size_t found = id.empty() ? std::string_view::npos : path.rfind(id);
  if (found == std::string_view::npos) return "";
  return std::string(path.substr(0, path.find('/', found)));
}

Result<RunningContainer> FindRunningContainer(std::string_view id, const std::string& proc) {
  const bool is_hex = std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (id.size() < kShortestId || !is_hex) {
    return Fail(Code::kInvalidArgument, "container id {}: want at least {} hexadecimal digits", base::Quote(id),
                kShortestId);
  }
  ASSIGN_OR_RETURN(const auto names, base::ListDir(proc));
  RunningContainer found;
  uint64_t first_ticks = UINT64_MAX;
  for (const std::string& name : names) {
    const auto number = base::ParseUint(name);
    if (!number) continue;
    const auto pid = static_cast<pid_t>(*number);
    const auto text = host::ReadCgroups(pid, proc);
    if (!text) continue;  // ended meanwhile
    const auto owner = insight::OwnerOfCgroupFile(*text);
    if (!owner || owner->is_monitor) continue;
    const bool is_inner = owner->container_id.starts_with(id);
    if (!is_inner && !owner->outer_id.starts_with(id)) continue;
    const std::string& full = is_inner ? owner->container_id : owner->outer_id;
    if (!found.id.empty() && found.id != full) {
      return Fail(Code::kInvalidArgument, "container id {} fits several: {} and {}", id, found.id, full);
    }
    found.id = full;
    found.pod_uid = owner->pod_uid;
    for (const auto& [controller, path] : CgroupPaths(*text)) {
      if (std::string cgroup = CgroupOfContainer(path, full); !cgroup.empty()) found.cgroups[controller] = cgroup;
    }
    const auto stat = host::ReadStat(pid, proc);
    if (stat && stat->start_time_ticks < first_ticks) {
      first_ticks = stat->start_time_ticks;
      found.first_process = pid;
    }
  }
  if (found.id.empty()) return Fail(Code::kNotFound, "no process is in a container {}", id);
  if (first_ticks != UINT64_MAX) {
    const double started = static_cast<double>(first_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    found.age_seconds = std::max(0.0, UptimeSeconds(proc) - started);
  }
  return found;
}

}  // namespace portcullis::cli
