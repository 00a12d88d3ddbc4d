// RemoveContainer: kills it if it runs. A container that does not exist is success. Its log stays: it is the kubelet's.
#include "base/try.h"
#include "runtime/service/not_gone.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

Result<cri::RemoveContainerResponse> RuntimeService::RemoveContainer(const cri::RemoveContainerRequest& request) {
  auto found = registry_->Container(request.container_id);
  if (!found) {
    if (found.error().code == Code::kNotFound) return cri::RemoveContainerResponse{};
    return Failure(std::move(found).error());
  }
  const PodLock lock = registry_->LockPod(found->sandbox_id);
  auto row = registry_->Container(found->id);
  if (!row) return cri::RemoveContainerResponse{};  // removed while we waited
  ASSIGN_OR_RETURN(const SandboxRow sandbox, NotGone(registry_->Sandbox(row->sandbox_id)));
  TRY(NotGone(KillContainer(*row, sandbox)));
  TRY(NotGone(ForgetContainer(*row, sandbox)));
  return cri::RemoveContainerResponse{};
}

}  // namespace portcullis::runtime
