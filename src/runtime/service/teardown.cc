// Undoing: used when making something fails, when it is removed, and for what a killed daemon left. Every step may find
// its thing made, half made or gone.
#include <algorithm>
#include <chrono>

#include "base/files.h"
#include "base/try.h"
#include "runtime/service/attempts.h"
#include "runtime/service/exit_codes.h"
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
  auto detached = cni_->DelOrForget(row.id);
  const bool namespace_done = detached.has_value();
  undo.Try(std::move(detached));
  undo.Try(oci_->Delete(HandleOf(row), /*force=*/true));
  if (namespace_done) undo.Try(netns_->Delete(row.id));  // otherwise the next DEL needs it
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
  AwaitKilled(handle, [&](auto deadline) { return registry_->WaitContainerStopped(row.id, deadline); });
  return {};
}

void RuntimeService::AwaitKilled(const ContainerHandle& handle, const StoppedBy& stopped_by) {
  constexpr auto kLook = std::chrono::milliseconds(200);
  const auto end = std::chrono::steady_clock::now() + options_.kill_deadline;
  for (auto now = std::chrono::steady_clock::now(); now < end; now = std::chrono::steady_clock::now()) {
    const bool monitored = !cgroups_.Processes(handle.ConmonCgroup()).empty();
    if (stopped_by(std::min(end, now + kLook))) return;
    if (!monitored) break;  // conmon is dead, so nobody will write an exit code
  }
  // It may have been written at the last moment.
  if (auto taken = TakeExitFile(handle.id); taken ? *taken : taken.error().code != Code::kDataLoss) return;
  OnExit({.id = handle.id, .exit_code = kKilledExitCode, .finished_at_unix_nanos = 0});
}

Result<void> RuntimeService::ForgetContainer(const ContainerRow& row, const SandboxRow& sandbox) {
  TRY(registry_->ChangeContainer(row.id, [](ContainerRow& changing) { changing.step = ContainerStep::kRemoving; }));
  TRY(TearDownContainer(row, sandbox));
  TRY(registry_->RemoveContainer(row.id));
  std::lock_guard lock(cpu_mutex_);
  cpu_samples_.erase(row.id);
  return {};
}

}  // namespace portcullis::runtime
