// At the start: what an earlier process left becomes one truth again. Containers that run stay; those that exited get
// their exit code from the exit file; half-made and half-removed things go; and so does what belongs to nothing.
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/service/exit_codes.h"
#include "runtime/service/mark_exited.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {
namespace {

constexpr char kBootIdFile[] = "/proc/sys/kernel/random/boot_id";
constexpr char kBootIdSetting[] = "boot_id";

Result<std::string> BootId() {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(kBootIdFile, 128));
  return std::string(base::Trim(text));
}

}  // namespace

Result<void> RuntimeService::Recover() {
  ASSIGN_OR_RETURN(const std::string boot_id, BootId());
  ASSIGN_OR_RETURN(const auto last_boot_id, registry_->store().Setting(kBootIdSetting));
  const bool rebooted = last_boot_id && *last_boot_id != boot_id;
  if (rebooted) ForgetNamespaces();
  for (const ContainerRow& row : registry_->Containers()) {
    if (auto recovered = RecoverContainer(row, rebooted); !recovered) {
      base::LogError("container not recovered", {{"container", row.id}, {"error", recovered.error().message}});
    }
  }
  for (const SandboxRow& row : registry_->Sandboxes()) {
    if (auto recovered = RecoverSandbox(row, rebooted); !recovered) {
      base::LogError("sandbox not recovered", {{"sandbox", row.id}, {"error", recovered.error().message}});
    }
  }
  // Kills of before are nobody's any more.
  for (const SandboxRow& row : registry_->Sandboxes()) static_cast<void>(ParentSawOomKill(row.cgroup_parent, ""));
  RemoveLeftovers();
  ReleaseCgroups();
  return registry_->store().SetSetting(kBootIdSetting, boot_id);
}

void RuntimeService::ForgetNamespaces() {
  const auto ids = netns_->List();
  if (!ids) {
    if (ids.error().code != Code::kNotFound)
      base::LogWarning("network namespaces not listed", {{"error", ids.error().message}});
    return;
  }
  for (const std::string& id : *ids) {
    if (auto removed = netns_->Delete(id); !removed)
      base::LogWarning("file of a network namespace stays", {{"id", id}, {"error", removed.error().message}});
  }
}

Result<void> RuntimeService::RecoverContainer(const ContainerRow& row, bool rebooted) {
  ASSIGN_OR_RETURN(const SandboxRow sandbox, registry_->Sandbox(row.sandbox_id));
  if (row.step == ContainerStep::kCreating || row.step == ContainerStep::kRemoving) {
    if (auto gone = FinishRemoval(row, sandbox); !gone) {
      // It must be seen, so that the client removes it.
      TRY(registry_->ChangeContainer(row.id, [&](ContainerRow& changing) {
        MarkExited(changing, kUnknownExitCode, "Unknown", gone.error().message);
      }));
      return gone;
    }
    return {};
  }
  if (row.step == ContainerStep::kExited) return {};
  if (!rebooted) {
    ASSIGN_OR_RETURN(const bool ended, TakeExitFile(row.id));
    if (ended) return {};
    const ContainerHandle handle = HandleOf(row, sandbox);
    auto state = oci_->State(handle);
    if (!state && state.error().code != Code::kNotFound) return Failure(std::move(state).error());
    if (state &&
        (state->status == runtime::ContainerStatus::kRunning || state->status == runtime::ContainerStatus::kPaused)) {
      // Also when the process died between the OCI runtime's start and the row's update.
      TRY(registry_->ChangeContainer(row.id, [&](ContainerRow& changing) {
        changing.step = ContainerStep::kRunning;
        changing.pid = state->pid;
        if (changing.started_at == 0) changing.started_at = changing.created_at;
      }));
      return {};
    }
    if (state && state->status == runtime::ContainerStatus::kCreated) return {};
    // conmon is about to write the exit code, and the watcher will read it; or it has just done so.
    if (!cgroups_.Processes(handle.ConmonCgroup()).empty()) return {};
    ASSIGN_OR_RETURN(const bool ended_now, TakeExitFile(row.id));
    if (ended_now) return {};
  }
  TRY(registry_->ChangeContainer(row.id, [&](ContainerRow& changing) {
    MarkExited(changing, kUnknownExitCode, "Unknown",
               rebooted ? "the node was restarted" : "nobody saw how the container ended");
  }));
  return {};
}

Result<void> RuntimeService::RecoverSandbox(const SandboxRow& row, bool rebooted) {
  if (row.step == SandboxStep::kCreating || row.step == SandboxStep::kRemoving) {
    if (auto removed = FinishRemoval(row); !removed) {
      // It must be seen, so that the client removes it.
      TRY(registry_->ChangeSandbox(row.id, [](SandboxRow& changing) {
        changing.step = SandboxStep::kNotReady;
        changing.pid = 0;
      }));
      return removed;
    }
    return {};
  }
  if (row.step == SandboxStep::kReady && !rebooted && row.pause_start != 0) {
    auto pidfd = OpenPause(static_cast<pid_t>(row.pid), row.pause_start);
    if (pidfd) return pauses_->Watch(row.id, *std::move(pidfd));
    if (pidfd.error().code != Code::kNotFound) return Failure(std::move(pidfd).error());
  } else if (row.step == SandboxStep::kReady && !rebooted) {
    auto state = oci_->State(HandleOf(row));
    if (!state && state.error().code != Code::kNotFound) return Failure(std::move(state).error());
    if (state && state->status == runtime::ContainerStatus::kRunning) {
      TRY(registry_->ChangeSandbox(row.id, [&](SandboxRow& changing) { changing.pid = state->pid; }));
      return {};
    }
  }
  // Its network stays until StopPodSandbox, which the kubelet calls for a sandbox that is not ready; after a reboot the
  // kernel has forgotten it, and so must the address allocator, before it gives the address to another pod.
  if (rebooted) TRY(cni_->Del(row.id));
  TRY(registry_->ChangeSandbox(row.id, [&](SandboxRow& changing) {
    if (changing.step == SandboxStep::kReady) changing.step = SandboxStep::kNotReady;
    changing.pid = 0;
    if (rebooted) changing.netns_path.clear();
  }));
  return {};
}

}  // namespace portcullis::runtime
