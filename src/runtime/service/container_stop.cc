// StopContainer: the stop signal, the grace period, then SIGKILL to everything in the container's cgroup.
// The pod is not locked while the grace period runs: a kubelet stops all containers of a pod at the same time.
#include <algorithm>
#include <chrono>

#include "base/try.h"
#include "runtime/service/not_gone.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/signals.h"

namespace portcullis::runtime {
namespace {

constexpr int64_t kMaxTimeoutSeconds = 365LL * 24 * 3600;  // keeps the arithmetic of deadlines in range

}  // namespace

Result<cri::StopContainerResponse> RuntimeService::StopContainer(const cri::StopContainerRequest& request) {
  auto row = registry_->Container(request.container_id);
  if (!row) {
    if (row.error().code == Code::kNotFound) return cri::StopContainerResponse{};
    return Failure(std::move(row).error());
  }
  if (row->step != ContainerStep::kCreated && row->step != ContainerStep::kRunning) return cri::StopContainerResponse{};
  ASSIGN_OR_RETURN(const SandboxRow sandbox, NotGone(registry_->Sandbox(row->sandbox_id)));
  if (row->step == ContainerStep::kRunning && request.timeout > 0) {
    ASSIGN_OR_RETURN(const int signal, SignalNumber(row->stop_signal));
    if (observers_ != nullptr) observers_->Stopping({row->id, signal});
    TRY(NotGone(oci_->Kill(HandleOf(*row, sandbox), signal)));
    const auto grace = std::chrono::seconds(std::min(request.timeout, kMaxTimeoutSeconds));
    if (registry_->WaitContainerStopped(row->id, std::chrono::steady_clock::now() + grace)) {
      return cri::StopContainerResponse{};
    }
  }
  TRY(NotGone(KillContainer(*row, sandbox)));
  return cri::StopContainerResponse{};
}

}  // namespace portcullis::runtime
