// Where a running container is: the cgroup that its id names, in each hierarchy, and its first process.
//
//   ASSIGN_OR_RETURN(const RunningContainer web, FindRunningContainer("9c1f03", "/proc"));
//
// Works for containers of containerd, CRI-O, Docker, Podman and ours, whatever the host's cgroup layout: the id in the
// cgroup path is what they all have (insight/evidence/cgroup_path.h).
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::cli {

// The paths in /proc/PID/cgroup's text: controller -> path, "" for the unified hierarchy. "name=systemd" is one too.
std::map<std::string, std::string> CgroupPaths(std::string_view text);

// The part of a cgroup path up to the component that names the container: a container's processes may be in cgroups
// below. "" when the path does not name it.
std::string CgroupOfContainer(std::string_view path, std::string_view id);

struct RunningContainer {
  std::string id;  // in full
  std::string pod_uid;
  std::map<std::string, std::string> cgroups;  // controller -> path, those that name the container
  pid_t first_process = 0;                     // the one that started first
  double age_seconds = 0;                      // of that process
};

// `id` may be shortened, to 6 digits at least. kNotFound: no process is in such a container; kInvalidArgument: the id
// is none, or fits several.
Result<RunningContainer> FindRunningContainer(std::string_view id, const std::string& proc = "/proc");

}  // namespace portcullis::cli
