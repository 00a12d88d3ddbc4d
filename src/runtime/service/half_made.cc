// Rows in step kCreating or kRemoving that nobody is at work on: the process was killed, or making them failed and so
// did undoing it, because the disk was full. They go at the next start, and in the janitor's rounds as soon as it can
// be done.
#include "base/log.h"
#include "base/try.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {
namespace {

template <class Row>
bool IsHalfMade(const Row& row) {
  using Step = decltype(row.step);
  return row.step == Step::kCreating || row.step == Step::kRemoving;
}

void TellStays(std::string_view kind, const std::string& id, const Error& error) {
  base::LogDebug("half-made thing stays", {{std::string(kind), id}, {"error", error.message}});
}

}  // namespace

Result<void> RuntimeService::FinishRemoval(const ContainerRow& row, const SandboxRow& sandbox) {
  TRY(TearDownContainer(row, sandbox));
  TRY(registry_->RemoveContainer(row.id));
  base::LogInfo("half-made container removed", {{"container", row.id}});
  return {};
}

Result<void> RuntimeService::FinishRemoval(const SandboxRow& row) {
  // One that was being removed may still have containers on record, if the process died between the two.
  for (const ContainerRow& container : registry_->ContainersOf(row.id)) TRY(ForgetContainer(container, row));
  TRY(TearDownSandbox(row));
  TRY(registry_->RemoveSandbox(row.id));
  base::LogInfo("half-made sandbox removed", {{"sandbox", row.id}});
  return {};
}

void RuntimeService::RemoveHalfMade() {
  for (const ContainerRow& listed : registry_->Containers()) {
    if (!IsHalfMade(listed)) continue;
    // Whoever makes or removes one holds its pod.
    const auto lock = registry_->TryLockPod(listed.sandbox_id);
    if (!lock) continue;
    const auto row = registry_->Container(listed.id);
    const auto sandbox = registry_->Sandbox(listed.sandbox_id);
    if (!row || !sandbox || !IsHalfMade(*row)) continue;
    if (auto removed = FinishRemoval(*row, *sandbox); !removed) TellStays("container", row->id, removed.error());
  }
  bool any = false;
  for (const SandboxRow& listed : registry_->Sandboxes()) {
    if (!IsHalfMade(listed)) continue;
    const auto lock = registry_->TryLockPod(listed.id);
    if (!lock) continue;
    const auto row = registry_->Sandbox(listed.id);
    if (!row || !IsHalfMade(*row)) continue;
    if (auto removed = FinishRemoval(*row); !removed) {
      TellStays("sandbox", row->id, removed.error());
    } else {
      any = true;
    }
  }
  if (any) ReleaseCgroups();
}

}  // namespace portcullis::runtime
