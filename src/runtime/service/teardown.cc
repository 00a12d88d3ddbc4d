// Undoing: used when making something fails, when it is removed, and for what a killed daemon left. Every step may find
// its thing made, half made or gone.
#include <chrono>

#include "base/files.h"
#include "base/try.h"
#include "runtime/service/attempts.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/shm.h"

namespace portcullis::runtime {

Result<void> RuntimeService::TearDownContainer(const ContainerRow& row, const SandboxRow& sandbox) {
  Attempts undo;
  undo.Try(oci_->Delete(HandleOf(row, sandbox), /*force=*/true));
  undo.Try(snapshots_->Remove(row.id));
  undo.Try(base::RemoveTree(paths_.Bundle(row.id)));
  return undo.Outcome();
}

Result<void> RuntimeService::TearDownSandbox(const SandboxRow& row) {
  Attempts undo;
  undo.Try(cni_->Del(row.id));
  undo.Try(oci_->Delete(HandleOf(row), /*force=*/true));
  undo.Try(netns_->Delete(row.id));
  undo.Try(UnmountShm(paths_.Shm(row.id)));
  undo.Try(snapshots_->Remove(row.id));
  undo.Try(base::RemoveTree(paths_.Bundle(row.id)));
  undo.Try(base::RemoveTree(paths_.SandboxFiles(row.id)));
  return undo.Outcome();
}

Result<void> RuntimeService::KillContainer(const ContainerRow& row, const SandboxRow& sandbox) {
  if (row.step != ContainerStep::kCreated && row.step != ContainerStep::kRunning) return {};
  const ContainerHandle handle = HandleOf(row, sandbox);
  // The whole cgroup: the first process of a container that shares its PID namespace does not take the others along.
  TRY(cgroups_.KillAll(handle.Cgroup(), options_.kill_deadline));
  const auto deadline = std::chrono::steady_clock::now() + options_.kill_deadline;
  if (registry_->WaitContainerStopped(row.id, deadline)) return {};
  // conmon has not written an exit code: it is gone too. The kernel says that nothing runs any more.
  OnExit({.id = row.id, .exit_code = 137, .finished_at_unix_nanos = 0});
  return {};
}

Result<void> RuntimeService::RemoveContainerRow(const ContainerRow& row, const SandboxRow& sandbox) {
  TRY(KillContainer(row, sandbox));
  TRY(registry_->ChangeContainer(row.id, [](ContainerRow& changing) { changing.step = ContainerStep::kRemoving; }));
  TRY(TearDownContainer(row, sandbox));
  TRY(registry_->RemoveContainer(row.id));
  std::lock_guard lock(cpu_mutex_);
  cpu_samples_.erase(row.id);
  return {};
}

}  // namespace portcullis::runtime
