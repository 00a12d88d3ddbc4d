// Exec: where a client connects to for the streams of a command. The command starts when it has connected.
#include "base/try.h"
#include "runtime/service/bundle.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/streaming_checks.h"

namespace portcullis::runtime {

Result<cri::ExecResponse> RuntimeService::Exec(const cri::ExecRequest& request) {
  TRY(CheckStreams(request.container_id, request.tty, request.stdin, request.stdout, request.stderr));
  if (request.cmd.empty()) return Fail(Code::kInvalidArgument, "exec: no command given");
  TRY(FindRunning(request.container_id));
  StdioRequest stdio{.tty = request.tty,
                     .input = request.stdin,
                     .output = request.stdout,
                     .error = request.stderr,
                     .attempted = "executing command in container",
                     .command = request.cmd};
  stdio.start = [this, request](std::optional<TerminalSize> size) -> Result<std::unique_ptr<StdioPeer>> {
    ASSIGN_OR_RETURN(const ContainerRow row, FindRunning(request.container_id));
    ASSIGN_OR_RETURN(const SandboxRow sandbox, registry_->Sandbox(row.sandbox_id));
    const ContainerHandle handle = HandleOf(row, sandbox);
    ASSIGN_OR_RETURN(const oci::Spec spec, ReadSpec(handle.bundle));
    ASSIGN_OR_RETURN(auto process, oci_->StartExec(handle, {.process = BuildExecProcess(spec, request.cmd, request.tty),
                                                            .input = request.stdin,
                                                            .size = size}));
    return MakeExecPeer(std::move(process), options_.runtime_deadline);
  };
  ASSIGN_OR_RETURN(std::string url, streaming_->AddExec(std::move(stdio)));
  return cri::ExecResponse{.url = std::move(url)};
}

}  // namespace portcullis::runtime
