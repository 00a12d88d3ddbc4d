// What a container's runtime calls it: pod, namespace and container of a container id.
//
//   ContainerNames names(api);
//   names.Describe({.container_id = id})      // the same with pod, namespace and container, where the runtime knows it
//                                             // nullopt: it does not answer, error() says why
//
// Works with any CRI runtime: the kubelet labels what it makes. A pod's own process (pause) has the container "".
// Source: k8s.io/kubelet, pkg/types/labels.go.
#pragma once

#include <optional>
#include <string>

#include "cri/runtime_api.h"
#include "insight/evidence/evidence.h"

namespace portcullis::cli {

class ContainerNames {
 public:
  // nullptr: no runtime; everything is returned as it is.
  explicit ContainerNames(cri::RuntimeApi* runtime) : runtime_(runtime) {}

  std::optional<insight::Workload> Describe(const insight::Workload& known);
  // Of the last call that failed; "".
  const std::string& error() const { return error_; }

 private:
  cri::RuntimeApi* runtime_;
  std::string error_;
};

}  // namespace portcullis::cli
