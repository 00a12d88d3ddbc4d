// What happens when a container's or a sandbox's first process is gone: conmon reports it, or conmon itself is gone and
// nobody would.
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/service/exit_codes.h"
#include "runtime/service/oom.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/spec_input.h"

namespace portcullis::runtime {
namespace {

std::string ReasonOf(int exit_code, bool oom_killed) {
  if (oom_killed && exit_code != 0) return "OOMKilled";
  return exit_code == 0 ? "Completed" : "Error";
}

// What went away meanwhile needs no record.
template <class Row>
bool IsRecorded(std::string_view kind, const std::string& id, const Result<Row>& changed) {
  if (changed || changed.error().code == Code::kNotFound) return true;
  base::LogError("exit not recorded", {{kind, id}, {"error", changed.error().message}});
  return false;
}

}  // namespace

bool RuntimeService::OnExit(const ContainerExitEvent& event) {
  const int64_t finished = event.finished_at_unix_nanos > 0 ? event.finished_at_unix_nanos : base::NowUnixNanos();
  if (auto sandbox = registry_->Sandbox(event.id); sandbox && sandbox->id == event.id) {
    auto changed = registry_->ChangeSandbox(event.id, [](SandboxRow& row) {
      row.pid = 0;
      if (row.step == SandboxStep::kReady) row.step = SandboxStep::kNotReady;
    });
    return IsRecorded("sandbox", event.id, changed);
  }
  auto row = registry_->Container(event.id);
  if (!row || row->id != event.id) return true;  // removed meanwhile
  auto sandbox = registry_->Sandbox(row->sandbox_id);
  if (!sandbox) return true;
  const ContainerHandle handle = HandleOf(*row, *sandbox);
  // Booked in any case, so that nobody else is taken for it.
  const bool parent_saw = ParentSawOomKill(sandbox->cgroup_parent, row->id);
  const bool oom_killed = WasOomKilled(handle.bundle, cgroups_, handle.Cgroup()) || parent_saw;
  auto changed = registry_->ChangeContainer(event.id, [&](ContainerRow& changing) {
    if (changing.step != ContainerStep::kCreated && changing.step != ContainerStep::kRunning) return;
    changing.step = ContainerStep::kExited;
    changing.pid = 0;
    changing.exit_code = event.exit_code;
    changing.finished_at = finished;
    changing.reason = ReasonOf(event.exit_code, oom_killed);
  });
  // With a shared PID namespace the kernel does not end the rest of the container with its first process.
  if (auto modes = ModesOf(row->config, sandbox->config); modes && modes->pid != oci::NamespaceMode::kContainer) {
    janitor_->Soon([this, handle] {
      if (auto killed = cgroups_.KillAll(handle.Cgroup(), options_.kill_deadline); !killed) {
        base::LogWarning("processes of an exited container are left",
                         {{"container", handle.id}, {"error", killed.error().message}});
      }
    });
  }
  if (!IsRecorded("container", event.id, changed)) return false;
  if (observers_ != nullptr) observers_->Exit(event);
  return true;
}

bool RuntimeService::ParentSawOomKill(const std::string& parent, const std::string& ended) {
  std::vector<std::string> living;
  for (const ContainerRow& row : registry_->Containers()) {
    if (row.id == ended || row.step == ContainerStep::kExited) continue;  // those that ended are booked
    if (auto sandbox = registry_->Sandbox(row.sandbox_id); sandbox && sandbox->cgroup_parent == parent)
      living.push_back(HandleOf(row, *sandbox).Cgroup());
  }
  return oom_ledger_.Book(cgroups_, parent, living) > 0;
}

Result<bool> RuntimeService::TakeExitFile(const std::string& id) {
  ASSIGN_OR_RETURN(const auto exit, ReadExitFile(oci_->ExitDir(), id));
  if (exit && !OnExit(*exit)) return Fail(Code::kUnavailable, "the exit of {} could not be recorded", id);
  return exit.has_value();
}

bool RuntimeService::IsSurelyEmpty(const std::string& cgroup) const {
  for (const char* controller : {"pids", "memory"}) {
    const std::string directory = cgroups_.DirectoryOf(controller, cgroup);
    if (directory.empty()) continue;
    const auto processes = base::ReadFile(directory + "/cgroup.procs");
    return processes ? processes->empty() : processes.error().sys_errno == ENOENT;
  }
  return false;
}

void RuntimeService::EndUnwatched() {
  for (const ContainerRow& listed : registry_->Containers()) {
    if (listed.step != ContainerStep::kRunning) continue;
    auto sandbox = registry_->Sandbox(listed.sandbox_id);
    if (!sandbox || !IsSurelyEmpty(HandleOf(listed, *sandbox).ConmonCgroup())) continue;
    // It may have ended properly since it was listed; conmon writes before it goes.
    auto taken = TakeExitFile(listed.id);
    auto row = registry_->Container(listed.id);
    if (taken ? *taken : taken.error().code != Code::kDataLoss) continue;
    if (!row || row->step != ContainerStep::kRunning) continue;
    const ContainerHandle handle = HandleOf(*row, *sandbox);
    const bool alive = !cgroups_.Processes(handle.Cgroup()).empty();
    base::LogWarning("the monitor of a container is gone", {{"container", row->id}});
    // Its output has no reader any more, and its end would never be seen.
    if (auto killed = cgroups_.KillAll(handle.Cgroup(), options_.kill_deadline); !killed) {
      base::LogWarning("container without monitor lives on",
                       {{"container", row->id}, {"error", killed.error().message}});
      continue;
    }
    OnExit({.id = row->id, .exit_code = alive ? kKilledExitCode : kUnknownExitCode, .finished_at_unix_nanos = 0});
  }
  for (const SandboxRow& row : registry_->Sandboxes()) {
    const ContainerHandle handle = HandleOf(row);
    // A pause process does nothing that needs a monitor: only its end matters.
    if (row.step != SandboxStep::kReady || row.pid == 0) continue;
    if (!IsSurelyEmpty(handle.ConmonCgroup()) || !IsSurelyEmpty(handle.Cgroup())) continue;
    base::LogWarning("a sandbox ended without a monitor", {{"sandbox", row.id}});
    OnExit({.id = row.id, .exit_code = kUnknownExitCode, .finished_at_unix_nanos = 0});
  }
}

}  // namespace portcullis::runtime
