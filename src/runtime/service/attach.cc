// Attach: where a client connects to for the streams of a container's first process.
#include "base/try.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/streaming_checks.h"

namespace portcullis::runtime {

Result<cri::AttachResponse> RuntimeService::Attach(const cri::AttachRequest& request) {
  TRY(CheckStreams(request.container_id, request.tty, request.stdin, request.stdout, request.stderr));
  TRY(FindRunning(request.container_id));
  StdioRequest stdio{.tty = request.tty,
                     .input = request.stdin,
                     .output = request.stdout,
                     .error = request.stderr,
                     .attempted = "attaching to container"};
  stdio.start = [this, id = request.container_id](std::optional<TerminalSize>) -> Result<std::unique_ptr<StdioPeer>> {
    ASSIGN_OR_RETURN(const ContainerRow row, FindRunning(id));
    ASSIGN_OR_RETURN(const SandboxRow sandbox, registry_->Sandbox(row.sandbox_id));
    return MakeAttachPeer(*oci_, HandleOf(row, sandbox));
  };
  ASSIGN_OR_RETURN(std::string url, streaming_->AddAttach(std::move(stdio)));
  return cri::AttachResponse{.url = std::move(url)};
}

}  // namespace portcullis::runtime
