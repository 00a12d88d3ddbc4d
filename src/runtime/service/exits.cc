// What happens when conmon reports that a container's or a sandbox's first process is gone.
#include <csignal>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "runtime/service/oom.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/spec_input.h"

namespace portcullis::runtime {
namespace {

std::string ReasonOf(int exit_code, bool oom_killed) {
  if (oom_killed && exit_code != 0) return "OOMKilled";
  return exit_code == 0 ? "Completed" : "Error";
}

}  // namespace

void RuntimeService::OnExit(const ContainerExitEvent& event) {
  const int64_t finished = event.finished_at_unix_nanos > 0 ? event.finished_at_unix_nanos : base::NowUnixNanos();
  if (auto sandbox = registry_->Sandbox(event.id); sandbox && sandbox->id == event.id) {
    auto changed = registry_->ChangeSandbox(event.id, [](SandboxRow& row) {
      row.pid = 0;
      if (row.step == SandboxStep::kReady) row.step = SandboxStep::kNotReady;
    });
    if (!changed)
      base::LogError("sandbox exit not recorded", {{"sandbox", event.id}, {"error", changed.error().message}});
    return;
  }
  auto row = registry_->Container(event.id);
  if (!row || row->id != event.id) return;  // removed meanwhile
  auto sandbox = registry_->Sandbox(row->sandbox_id);
  if (!sandbox) return;
  const ContainerHandle handle = HandleOf(*row, *sandbox);
  const bool oom_killed = WasOomKilled(handle.bundle, cgroups_, handle.Cgroup());
  // With a shared PID namespace the kernel does not end the rest of the container with its first process.
  if (auto modes = ModesOf(row->config, sandbox->config); modes && modes->pid != oci::NamespaceMode::kContainer) {
    if (auto killed = cgroups_.KillAll(handle.Cgroup(), options_.kill_deadline); !killed) {
      base::LogWarning("processes of an exited container are left",
                       {{"container", event.id}, {"error", killed.error().message}});
    }
  }
  auto changed = registry_->ChangeContainer(event.id, [&](ContainerRow& changing) {
    if (changing.step != ContainerStep::kCreated && changing.step != ContainerStep::kRunning) return;
    changing.step = ContainerStep::kExited;
    changing.pid = 0;
    changing.exit_code = event.exit_code;
    changing.finished_at = finished;
    changing.reason = ReasonOf(event.exit_code, oom_killed);
  });
  if (!changed)
    base::LogError("container exit not recorded", {{"container", event.id}, {"error", changed.error().message}});
}

}  // namespace portcullis::runtime
