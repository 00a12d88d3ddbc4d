#include "node/pod/pod_cgroup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "spec/k8s/resources.h"

namespace portcullis::node {
namespace {

constexpr size_t kMaxMountinfo = 16u << 20;
constexpr int kDeepest = 8;

bool IsFolder(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// Children first: a cgroup can only be removed when it has none.
void RemoveCgroup(const std::string& path, int depth = 0) {
  if (!IsFolder(path)) return;
  if (const auto names = base::ListDir(path); names && depth < kDeepest) {
    for (const std::string& name : *names) RemoveCgroup(base::JoinPath(path, name), depth + 1);
  }
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) {
    base::LogDebug("cgroup of a pod stays", {{"path", path}, {"err", ErrnoText(errno)}});
  }
}

}  // namespace

std::vector<std::string> CgroupMounts(std::string_view mountinfo) {
  std::vector<std::string> out;
  for (const std::string& line : base::Split(mountinfo, '\n')) {
    // 35 28 0:30 / /sys/fs/cgroup/pids rw,relatime shared:9 - cgroup cgroup rw,pids
    const std::vector<std::string> words = base::Split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 5 || dash == words.end() || dash + 1 == words.end()) continue;
    const std::string& type = *(dash + 1);
    if ((type == "cgroup" || type == "cgroup2") && words[3] == "/") out.push_back(words[4]);
  }
  return out;
}

void RemovePodCgroup(const PodSettings& settings, const std::string& pod_uid) {
  if (settings.cgroup_driver != k8s::CgroupDriver::kCgroupfs || !settings.cgroups_per_qos) return;
  if (pod_uid.empty() || pod_uid.find('/') != std::string::npos) return;
  const auto text = base::ReadFile("/proc/self/mountinfo", kMaxMountinfo);
  if (!text) return base::LogWarning("cannot find the cgroups of a pod", {{"err", text.error().message}});
  for (const std::string& mount : CgroupMounts(*text)) {
    for (const auto qos : {k8s::QosClass::kGuaranteed, k8s::QosClass::kBurstable, k8s::QosClass::kBestEffort}) {
      RemoveCgroup(mount + k8s::PodCgroupParent(settings.cgroup_driver, settings.cgroup_root, qos, pod_uid));
    }
  }
}

}  // namespace portcullis::node
