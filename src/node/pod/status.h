// PodStatus from what is wanted, observed and remembered. Pure; kubernetes-seccomp.md 2.7, 6.4, 6.6, 6.10, 6.17.
#pragma once

#include <cstdint>

#include "node/pod/memory.h"
#include "node/pod/observed.h"
#include "node/pod/settings.h"
#include "spec/k8s/pod.h"
#include "spec/k8s/pod_status.h"

namespace portcullis::node {

struct StatusInput {
  const k8s::Pod& pod;
  const ObservedPod& observed;
  const PodMemory& memory;
  const PodSettings& settings;
  int64_t start_time = 0;  // when the node first saw the pod
  int64_t now = 0;
  const k8s::PodStatus* previous = nullptr;  // keeps the transition times of conditions that did not change
};
k8s::PodStatus ComputeStatus(const StatusInput& input);

}  // namespace portcullis::node
