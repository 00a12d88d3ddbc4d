#include "cli/evidence/container_names.h"

namespace portcullis::cli {
namespace {

std::string LabelOf(const std::map<std::string, std::string>& labels, const char* name) {
  const auto found = labels.find(name);
  return found == labels.end() ? "" : found->second;
}

void TakeLabels(const std::map<std::string, std::string>& labels, insight::Workload& workload) {
  workload.pod_namespace = LabelOf(labels, "io.kubernetes.pod.namespace");
  workload.pod = LabelOf(labels, "io.kubernetes.pod.name");
  if (workload.pod_uid.empty()) workload.pod_uid = LabelOf(labels, "io.kubernetes.pod.uid");
  workload.container = LabelOf(labels, "io.kubernetes.container.name");
}

}  // namespace

std::optional<insight::Workload> ContainerNames::Describe(const insight::Workload& known) {
  insight::Workload out = known;
  if (runtime_ == nullptr || known.container_id.empty()) return out;
  const auto containers = runtime_->ListContainers({.filter = cri::ContainerFilter{.id = known.container_id}});
  if (!containers) {
    error_ = containers.error().message;
    return std::nullopt;
  }
  for (const cri::Container& container : containers->containers) {
    if (container.id != known.container_id) continue;
    TakeLabels(container.labels, out);
    if (out.container.empty() && container.metadata) out.container = container.metadata->name;
    return out;
  }
  const auto pods = runtime_->ListPodSandbox({.filter = cri::PodSandboxFilter{.id = known.container_id}});
  if (!pods) {
    error_ = pods.error().message;
    return std::nullopt;
  }
  for (const cri::PodSandbox& pod : pods->items) {
    if (pod.id != known.container_id) continue;
    TakeLabels(pod.labels, out);
    if (pod.metadata) {
      out.pod_namespace = pod.metadata->namespace_;
      out.pod = pod.metadata->name;
      out.pod_uid = pod.metadata->uid;
    }
  }
  return out;
}

}  // namespace portcullis::cli
