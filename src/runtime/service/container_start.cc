#include "base/clock.h"
#include "base/try.h"
#include "runtime/service/exit_codes.h"
#include "runtime/service/mark_exited.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/seccomp_decision.h"

namespace portcullis::runtime {

Result<cri::StartContainerResponse> RuntimeService::StartContainer(const cri::StartContainerRequest& request) {
  ASSIGN_OR_RETURN(const ContainerRow found, FindContainer(request.container_id));
  const PodLock lock = registry_->LockPod(found.sandbox_id);
  ASSIGN_OR_RETURN(const ContainerRow row, FindContainer(found.id));
  if (row.step != ContainerStep::kCreated) {
    return Fail(Code::kFailedPrecondition, "container {} is not in created state", row.id);
  }
  ASSIGN_OR_RETURN(const SandboxRow sandbox, registry_->Sandbox(row.sandbox_id));
  if (sandbox.step != SandboxStep::kReady) {
    return Fail(Code::kFailedPrecondition, "sandbox {} of container {} is not running", sandbox.id, row.id);
  }
  const ContainerHandle handle = HandleOf(row, sandbox);
  const auto context = row.config.linux ? row.config.linux->security_context : std::nullopt;
  ASSIGN_OR_RETURN(const SeccompDecision decision,
                   DecideSeccomp(SeccompRequestOf(context, seccomp_.kernel_has_seccomp())));
  const int64_t started_at = base::NowUnixNanos();
  const Filter filter = decision.source == SeccompSource::kNone ? Filter::kNone : Filter::kWanted;
  if (auto started = oci_->Start(handle, filter); !started) {
    Error error = std::move(started).error();
    TRY(cgroups_.KillAll(handle.Cgroup(), options_.kill_deadline));
    TRY(registry_->ChangeContainer(row.id, [&](ContainerRow& changing) {
      MarkExited(changing, kCannotRunExitCode, "StartError", error.message);
      changing.started_at = 0;
    }));
    return Wrap(std::move(error), "failed to start container {}", row.id);
  }
  // It may have exited already; then only the time is news.
  TRY(registry_->ChangeContainer(row.id, [&](ContainerRow& changing) {
    changing.started_at = started_at;
    if (changing.step == ContainerStep::kCreated) changing.step = ContainerStep::kRunning;
  }));
  return cri::StartContainerResponse{};
}

}  // namespace portcullis::runtime
