#include "spec/k8s/pod.h"

#include <algorithm>

namespace portcullis::k8s {

bool Pod::AnyPrivileged() const {
  const auto privileged = [](const Container& container) { return container.privileged(); };
  return std::any_of(spec.containers.begin(), spec.containers.end(), privileged) ||
         std::any_of(spec.init_containers.begin(), spec.init_containers.end(), privileged);
}

bool IsNodeCritical(const PodSpec& spec) {
  constexpr int32_t kSystemNodeCritical = 2000001000;
  return spec.priority_class_name == "system-node-critical" || spec.priority.value_or(0) >= kSystemNodeCritical;
}

std::string PodHostname(const Pod& pod) {
  constexpr size_t kMaxHostname = 63;
  std::string name = pod.spec.hostname.empty() ? pod.metadata.name : pod.spec.hostname;
  if (name.size() > kMaxHostname) name.resize(kMaxHostname);
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  return name;
}

}  // namespace portcullis::k8s
