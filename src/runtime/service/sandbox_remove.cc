// RemovePodSandbox: stops what runs, removes the containers, then the sandbox. A sandbox that does not exist is
// success.
#include "base/try.h"
#include "runtime/service/not_gone.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

Result<cri::RemovePodSandboxResponse> RuntimeService::RemovePodSandbox(const cri::RemovePodSandboxRequest& request) {
  auto found = registry_->Sandbox(request.pod_sandbox_id);
  if (!found) {
    if (found.error().code == Code::kNotFound) return cri::RemovePodSandboxResponse{};
    return Failure(std::move(found).error());
  }
  TRY(NotGone(ForgetSandbox(found->id)));
  ReleaseCgroups();
  std::lock_guard lock(cpu_mutex_);
  cpu_samples_.erase(found->id);
  return cri::RemovePodSandboxResponse{};
}

Result<void> RuntimeService::ForgetSandbox(const std::string& id) {
  const PodLock lock = registry_->LockPod(id);
  auto row = registry_->Sandbox(id);
  if (!row) return {};  // removed while we waited
  for (const ContainerRow& container : registry_->ContainersOf(row->id)) {
    TRY(KillContainer(container, *row));
    TRY(ForgetContainer(container, *row));
  }
  TRY(registry_->ChangeSandbox(row->id, [](SandboxRow& changing) { changing.step = SandboxStep::kRemoving; }));
  if (auto undone = TearDownSandbox(*row); !undone) {
    // The kubelet removes what it could stop; who removes this all the same means it: without the namespace the next
    // attempt need not succeed with a plugin that cannot undo its work any more (Cni::DelOrForget).
    TRY(netns_->Delete(row->id));
    return undone;
  }
  return registry_->RemoveSandbox(row->id);
}

}  // namespace portcullis::runtime
