// A pod's cgroup parent. A kubelet makes it, with limits, before it asks for a sandbox; for other clients it is made
// here, with the limits that the sandbox comes with. What was made here is noted in the store, and removed when no
// sandbox needs it.
#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/service/hugepages.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {
namespace {

// "/a/b" -> {"/a", "/a/b"}.
std::vector<std::string> WithAncestors(const std::string& path) {
  std::vector<std::string> all;
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    all.push_back(path.substr(0, end));
  }
  all.push_back(path);
  return all;
}

bool IsNeeded(const std::string& cgroup, const std::vector<SandboxRow>& sandboxes) {
  return std::any_of(sandboxes.begin(), sandboxes.end(), [&](const SandboxRow& row) {
    return row.cgroup_parent == cgroup || row.cgroup_parent.starts_with(cgroup + "/");
  });
}

// Zero means "not set" in CRI.
Cgroups::Limits PodLimits(const cri::LinuxContainerResources& resources) {
  Cgroups::Limits limits;
  if (resources.cpu_shares > 0) limits.cpu_shares = static_cast<uint64_t>(resources.cpu_shares);
  if (resources.cpu_quota != 0) {
    limits.cpu_quota_micros = resources.cpu_quota;
    if (resources.cpu_period > 0) limits.cpu_period_micros = static_cast<uint64_t>(resources.cpu_period);
  }
  if (resources.memory_limit_in_bytes > 0) limits.memory_bytes = resources.memory_limit_in_bytes;
  for (const cri::HugepageLimit& page : resources.hugepage_limits)
    limits.hugepages[page.page_size] = std::to_string(page.limit);
  limits.unified = resources.unified;
  return limits;
}

}  // namespace

Result<std::string> RuntimeService::AcquireCgroup(const SandboxRow& row) {
  const std::string& parent = row.cgroup_parent;
  std::lock_guard lock(cgroup_mutex_);
  for (const std::string& path : WithAncestors(parent)) {
    if (cgroups_.CgroupId(path) == 0) TRY(registry_->store().AddCgroup(path));
  }
  TRY(cgroups_.Create(parent));
  ASSIGN_OR_RETURN(std::vector<std::string> ours, registry_->store().Cgroups());
  std::erase_if(ours, [&](const std::string& path) { return path != parent && !parent.starts_with(path + "/"); });
  std::string own = base::Join(ours, "\n");
  if (parent == options_.default_cgroup_parent) return own;  // it is not this pod's alone
  Cgroups::Limits limits;
  const bool is_ours = std::find(ours.begin(), ours.end(), parent) != ours.end();
  if (is_ours && row.config.linux && row.config.linux->resources) limits = PodLimits(*row.config.linux->resources);
  if (!HasHugetlb(cgroups_)) limits.hugepages.clear();
  if (options_.pod_pids_limit > 0) limits.pids = options_.pod_pids_limit;
  auto set = cgroups_.SetLimits(parent, limits);
  if (!set) return Wrap(std::move(set).error(), "set limits of the pod's cgroup {}", parent);
  return own;
}

void RuntimeService::ReleaseCgroups() {
  std::lock_guard lock(cgroup_mutex_);
  auto made = registry_->store().Cgroups();
  if (!made) {
    base::LogWarning("cgroups not released", {{"error", made.error().message}});
    return;
  }
  const std::vector<SandboxRow> sandboxes = registry_->Sandboxes();
  std::reverse(made->begin(), made->end());  // sorted by path: children come after their parents
  for (const std::string& path : *made) {
    if (IsNeeded(path, sandboxes)) continue;
    // Whoever put processes or cgroups of his own into it keeps it; the note stays for the next time.
    Result<void> gone = cgroups_.RemoveUnused(path);
    if (!gone && (gone.error().sys_errno == EBUSY || gone.error().sys_errno == ENOTEMPTY)) {
      base::LogInfo("cgroup is in use by others", {{"cgroup", path}});
      continue;
    }
    if (gone) oom_ledger_.Forget(path);
    if (gone) gone = registry_->store().RemoveCgroup(path);
    if (!gone) base::LogWarning("cgroup not removed", {{"cgroup", path}, {"error", gone.error().message}});
  }
}

}  // namespace portcullis::runtime
