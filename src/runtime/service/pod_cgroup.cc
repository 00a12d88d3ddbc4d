// A pod's cgroup parent. A kubelet makes it, with limits, before it asks for a sandbox; for other clients it is made
// here. What was made here is noted in the store, and removed when no sandbox needs it.
#include <algorithm>

#include "base/log.h"
#include "base/try.h"
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

}  // namespace

Result<void> RuntimeService::AcquireCgroup(const std::string& parent) {
  std::lock_guard lock(cgroup_mutex_);
  for (const std::string& path : WithAncestors(parent)) {
    if (cgroups_.CgroupId(path) == 0) TRY(registry_->store().AddCgroup(path));
  }
  TRY(cgroups_.Create(parent));
  if (options_.pod_pids_limit > 0 && parent != options_.default_cgroup_parent) {
    TRY(cgroups_.SetLimits(parent, {.cpu_shares = {},
                                    .cpu_quota_micros = {},
                                    .cpu_period_micros = {},
                                    .memory_bytes = {},
                                    .pids = options_.pod_pids_limit}));
  }
  return {};
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
    if (gone) gone = registry_->store().RemoveCgroup(path);
    if (!gone) base::LogWarning("cgroup not removed", {{"cgroup", path}, {"error", gone.error().message}});
  }
}

}  // namespace portcullis::runtime
