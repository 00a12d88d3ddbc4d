// PortForward: where a client connects to for connections into a pod's network.
#include "base/try.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {

Result<cri::PortForwardResponse> RuntimeService::PortForward(const cri::PortForwardRequest& request) {
  if (request.pod_sandbox_id.empty()) return Fail(Code::kInvalidArgument, "missing required pod_sandbox_id");
  ForwardRequest forward;
  for (const int32_t port : request.port) {
    if (port <= 0 || port > UINT16_MAX) return Fail(Code::kInvalidArgument, "port {} is not between 1 and 65535", port);
    forward.ports.push_back(static_cast<uint16_t>(port));
  }
  ASSIGN_OR_RETURN(const SandboxRow row, FindSandbox(request.pod_sandbox_id));
  if (row.step != SandboxStep::kReady) {
    return Fail(Code::kFailedPrecondition, "sandbox container {} is not running", row.id);
  }
  forward.pod = row.id;
  forward.network_namespace = row.netns_path;
  ASSIGN_OR_RETURN(std::string url, streaming_->AddPortForward(std::move(forward)));
  return cri::PortForwardResponse{.url = std::move(url)};
}

}  // namespace portcullis::runtime
