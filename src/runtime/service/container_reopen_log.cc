#include "base/try.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

Result<cri::ReopenContainerLogResponse> RuntimeService::ReopenContainerLog(
    const cri::ReopenContainerLogRequest& request) {
  ASSIGN_OR_RETURN(const ContainerRow row, FindContainer(request.container_id));
  if (row.step != ContainerStep::kRunning)
    return Fail(Code::kFailedPrecondition, "container {} is not running", row.id);
  if (row.log_path.empty()) return Fail(Code::kFailedPrecondition, "container {} has no log", row.id);
  ASSIGN_OR_RETURN(const SandboxRow sandbox, registry_->Sandbox(row.sandbox_id));
  TRY(oci_->ReopenLog(HandleOf(row, sandbox), row.log_path));
  return cri::ReopenContainerLogResponse{};
}

}  // namespace portcullis::runtime
