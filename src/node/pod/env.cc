#include "node/pod/env.h"

#include <algorithm>
#include <limits>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::node {
namespace {

Result<std::string> ResourceValue(const k8s::Pod& pod, const k8s::Container& self, const k8s::ResourceFieldRef& ref,
                                  const PodSettings& settings) {
  const k8s::Container* target = &self;
  if (!ref.container_name.empty() && ref.container_name != self.name) {
    target = nullptr;
    for (const auto* list : {&pod.spec.containers, &pod.spec.init_containers}) {
      for (const k8s::Container& candidate : *list) {
        if (candidate.name == ref.container_name) target = &candidate;
      }
    }
    if (target == nullptr) return Fail(Code::kInvalidArgument, "container {} not found", ref.container_name);
  }
  size_t dot = ref.resource.find('.');
  std::string kind = ref.resource.substr(0, dot);
  std::string name = dot == std::string::npos ? "" : ref.resource.substr(dot + 1);
  bool limits = kind == "limits";
  bool known = name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-");
  if ((!limits && kind != "requests") || !known)
    return Fail(Code::kInvalidArgument, "unsupported container resource : {}", ref.resource);
  const k8s::ResourceList& list = limits ? target->resources.limits : target->resources.requests;
  k8s::Quantity amount;
  if (auto found = list.find(name); found != list.end()) {
    amount = found->second;
  } else if (limits && name == "cpu") {
    amount = k8s::Quantity::FromMilli(settings.cpu_allocatable_milli);
  } else if (limits && name == "memory") {
    amount = k8s::Quantity::FromValue(settings.memory_allocatable);
  }
  return std::to_string(amount.DividedBy(ref.divisor));
}

Result<std::string> EnvValue(const k8s::Pod& pod, const k8s::Container& container, const k8s::EnvVar& variable,
                             std::span<const std::string> pod_ips, const PodSettings& settings,
                             const std::map<std::string, std::string>& earlier) {
  if (!variable.from) return ExpandReferences(variable.value, earlier);
  if (const auto* field = std::get_if<k8s::FieldRef>(&*variable.from))
    return FieldValue(pod, field->field_path, pod_ips, settings);
  return ResourceValue(pod, container, std::get<k8s::ResourceFieldRef>(*variable.from), settings);
}

}  // namespace

std::string ExpandReferences(std::string_view text, const std::map<std::string, std::string>& variables) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '$' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    char next = text[at + 1];
    size_t close = next == '(' ? text.find(')', at + 2) : std::string_view::npos;
    if (next == '$') {
      out += '$';
      ++at;
    } else if (close != std::string_view::npos) {
      std::string name(text.substr(at + 2, close - at - 2));
      auto found = variables.find(name);
      out += found != variables.end() ? found->second : "$(" + name + ")";
      at = close;
    } else {
      out += '$';
    }
  }
  return out;
}

Result<std::string> FieldValue(const k8s::Pod& pod, const std::string& field_path, std::span<const std::string> pod_ips,
                               const PodSettings& settings) {
  const k8s::ObjectMeta& meta = pod.metadata;
  for (const auto& [prefix, map] : {std::pair{std::string_view("metadata.labels['"), &meta.labels},
                                    std::pair{std::string_view("metadata.annotations['"), &meta.annotations}}) {
    if (!field_path.starts_with(prefix) || !field_path.ends_with("']") || field_path.size() < prefix.size() + 2)
      continue;
    auto found = map->find(field_path.substr(prefix.size(), field_path.size() - prefix.size() - 2));
    return found != map->end() ? found->second : std::string();
  }
  if (field_path == "metadata.name") return meta.name;
  if (field_path == "metadata.namespace") return meta.namespace_;
  if (field_path == "metadata.uid") return meta.uid;
  if (field_path == "spec.nodeName") return pod.spec.node_name;
  if (field_path == "spec.serviceAccountName") return std::string();
  if (field_path == "status.hostIP" || field_path == "status.hostIPs") return settings.host_ip;
  if (field_path == "status.podIP") return pod_ips.empty() ? std::string() : pod_ips.front();
  if (field_path == "status.podIPs") return base::Join(pod_ips, ",");
  return Fail(Code::kInvalidArgument, "unsupported fieldPath: {}", field_path);
}

Result<std::vector<cri::KeyValue>> MakeEnvironment(const k8s::Pod& pod, const k8s::Container& container,
                                                   std::span<const std::string> pod_ips, const PodSettings& settings) {
  std::map<std::string, std::string> values;
  std::vector<cri::KeyValue> out;
  for (const k8s::EnvVar& variable : container.env) {
    ASSIGN_OR_RETURN(std::string value, EnvValue(pod, container, variable, pod_ips, settings, values));
    values[variable.name] = value;
    auto same =
        std::find_if(out.begin(), out.end(), [&](const cri::KeyValue& entry) { return entry.key == variable.name; });
    if (same != out.end()) {
      same->value = std::move(value);
    } else {
      out.push_back({variable.name, std::move(value)});
    }
  }
  return out;
}

}  // namespace portcullis::node
