#include "runtime/service/filters.h"

#include <algorithm>

namespace portcullis::runtime {
namespace {

bool HasLabels(const std::map<std::string, std::string>& labels, const std::map<std::string, std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& want) {
    const auto found = labels.find(want.first);
    return found != labels.end() && found->second == want.second;
  });
}

bool HasPrefix(const std::string& id, const std::string& wanted) { return id.starts_with(wanted); }

}  // namespace

bool IsVisible(SandboxStep step) { return step != SandboxStep::kCreating; }

bool IsVisible(ContainerStep step) { return step != ContainerStep::kCreating; }

cri::PodSandboxState StateOf(const SandboxRow& row) {
  return row.step == SandboxStep::kReady ? cri::PodSandboxState::kSandboxReady : cri::PodSandboxState::kSandboxNotready;
}

cri::ContainerState StateOf(const ContainerRow& row) {
  switch (row.step) {
    case ContainerStep::kCreated:
      return cri::ContainerState::kContainerCreated;
    case ContainerStep::kRunning:
      return cri::ContainerState::kContainerRunning;
    case ContainerStep::kExited:
    case ContainerStep::kRemoving:
      return cri::ContainerState::kContainerExited;
    case ContainerStep::kCreating:
      break;
  }
  return cri::ContainerState::kContainerUnknown;
}

bool Matches(const SandboxRow& row, const std::optional<cri::PodSandboxFilter>& filter) {
  if (!filter) return true;
  return HasPrefix(row.id, filter->id) && (!filter->state || filter->state->state == StateOf(row)) &&
         HasLabels(row.config.labels, filter->label_selector);
}

bool Matches(const ContainerRow& row, const std::optional<cri::ContainerFilter>& filter) {
  if (!filter) return true;
  return HasPrefix(row.id, filter->id) && HasPrefix(row.sandbox_id, filter->pod_sandbox_id) &&
         (!filter->state || filter->state->state == StateOf(row)) &&
         HasLabels(row.config.labels, filter->label_selector);
}

bool Matches(const SandboxRow& row, const std::optional<cri::PodSandboxStatsFilter>& filter) {
  return !filter || (HasPrefix(row.id, filter->id) && HasLabels(row.config.labels, filter->label_selector));
}

bool Matches(const ContainerRow& row, const std::optional<cri::ContainerStatsFilter>& filter) {
  return !filter || (HasPrefix(row.id, filter->id) && HasPrefix(row.sandbox_id, filter->pod_sandbox_id) &&
                     HasLabels(row.config.labels, filter->label_selector));
}

}  // namespace portcullis::runtime
