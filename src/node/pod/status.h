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
// How long a failed pull is shown as such (ErrImagePull) before it is shown as waiting for the next try
// (ImagePullBackOff).
inline constexpr int64_t kShowPullError = 2'000'000'000;

k8s::PodStatus ComputeStatus(const StatusInput& input);

}  // namespace portcullis::node
