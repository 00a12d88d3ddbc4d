// ExecSync: a command in a running container, under the container's own profile, limits and user. No lock is held.
#include <algorithm>
#include <chrono>

#include "base/strings.h"
#include "base/try.h"
#include "runtime/service/bundle.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {
namespace {

constexpr int64_t kMaxTimeoutSeconds = 24 * 3600;

}  // namespace

Result<cri::ExecSyncResponse> RuntimeService::ExecSync(const cri::ExecSyncRequest& request) {
  if (request.cmd.empty()) return Fail(Code::kInvalidArgument, "exec: no command given");
  ASSIGN_OR_RETURN(const ContainerRow row, FindRunning(request.container_id));
  ASSIGN_OR_RETURN(const SandboxRow sandbox, registry_->Sandbox(row.sandbox_id));
  const ContainerHandle handle = HandleOf(row, sandbox);
  ASSIGN_OR_RETURN(const oci::Spec spec, ReadSpec(handle.bundle));
  ExecOptions options;
  options.process = BuildExecProcess(spec, request.cmd, /*tty=*/false);
  options.timeout = std::chrono::seconds(std::clamp<int64_t>(request.timeout, 0, kMaxTimeoutSeconds));
  ASSIGN_OR_RETURN(ExecResult result, oci_->ExecSync(handle, options));
  if (result.timed_out) {
    // The text that the kubelet's exec probes know from containerd.
    return Fail(Code::kDeadlineExceeded, "failed to exec in container: timeout {}s exceeded: context deadline exceeded",
                request.timeout);
  }
  return cri::ExecSyncResponse{
      .stdout = std::move(result.out), .stderr = std::move(result.err), .exit_code = result.exit_code};
}

}  // namespace portcullis::runtime
