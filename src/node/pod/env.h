// A container's environment, command and arguments: $(VAR) expansion and the downward API (kubernetes-seccomp.md 6.8).
// Pure.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cri/types.h"
#include "node/pod/settings.h"
#include "spec/k8s/pod.h"

namespace portcullis::node {

// "$(A)-$$(B)-$(C" with A=1 -> "1-$(B)-$(C"; unknown names stay as written.
std::string ExpandReferences(std::string_view text, const std::map<std::string, std::string>& variables);

// In the order of definition, each name once with its last value. Errors: a field or resource that does not exist
// (CreateContainerConfigError).
Result<std::vector<cri::KeyValue>> MakeEnvironment(const k8s::Pod& pod, const k8s::Container& container,
                                                   std::span<const std::string> pod_ips, const PodSettings& settings);

// "metadata.labels['a']" and its kind.
Result<std::string> FieldValue(const k8s::Pod& pod, const std::string& field_path, std::span<const std::string> pod_ips,
                               const PodSettings& settings);

}  // namespace portcullis::node
