// StopPodSandbox: containers killed, network undone, pause killed. May be repeated; succeeds when there is nothing to
// do.
#include "base/thread.h"
#include "base/try.h"
#include "runtime/service/exit_codes.h"
#include "runtime/service/not_gone.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/shm.h"

namespace portcullis::runtime {

Result<cri::StopPodSandboxResponse> RuntimeService::StopPodSandbox(const cri::StopPodSandboxRequest& request) {
  auto found = registry_->Sandbox(request.pod_sandbox_id);
  if (!found) {
    if (found.error().code == Code::kNotFound) return cri::StopPodSandboxResponse{};
    return Failure(std::move(found).error());
  }
  TRY(NotGone(StopSandbox(found->id)));
  return cri::StopPodSandboxResponse{};
}

Result<void> RuntimeService::StopSandbox(const std::string& id) {
  const PodLock lock = registry_->LockPod(id);
  auto row = registry_->Sandbox(id);
  if (!row) return {};  // removed while we waited
  // First of all: whatever fails or is killed from here on, nobody takes this for a sandbox that containers may join.
  TRY(registry_->ChangeSandbox(row->id, [](SandboxRow& changing) { changing.step = SandboxStep::kNotReady; }));
  for (const ContainerRow& container : registry_->ContainersOf(row->id)) TRY(KillContainer(container, *row));
  // DEL needs the namespace, which is pinned by its file, and not the pause process: both end at the same time.
  std::future<Result<void>> detached = base::Async([&]() -> Result<void> {
    TRY(cni_->DelOrForget(row->id));
    return netns_->Delete(row->id);
  });
  if (row->pid != 0) {
    // SIGKILL, by the cgroup: pause is process 1 of its namespace and drops a SIGTERM that comes before its handler.
    const ContainerHandle handle = HandleOf(*row);
    TRY(cgroups_.KillAll(handle.Cgroup(), options_.kill_deadline));
    if (row->pause_start != 0) {
      OnExit({.id = row->id, .exit_code = kKilledExitCode, .finished_at_unix_nanos = 0});
    } else {
      AwaitKilled(handle, [&](auto deadline) { return registry_->WaitSandboxStopped(row->id, deadline); });
    }
  }
  TRY(detached.get());
  TRY(UnmountShm(paths_.Shm(row->id)));
  TRY(registry_->ChangeSandbox(row->id, [](SandboxRow& changing) { changing.netns_path.clear(); }));
  return {};
}

}  // namespace portcullis::runtime
