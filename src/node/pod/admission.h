// May a pod start beside those that are there? Static pods pass no scheduler, so the node looks itself. Pure.
#pragma once

#include "spec/k8s/pod.h"
#include "spec/k8s/pod_status.h"

namespace portcullis::node {

// Both want the same port of the node, on addresses that overlap.
bool HostPortsConflict(const k8s::PodSpec& a, const k8s::PodSpec& b);

bool UsesHostPorts(const k8s::PodSpec& spec);

// Phase Failed, reason NodePorts, as the kubelet reports such a pod.
k8s::PodStatus RejectedForPorts();

}  // namespace portcullis::node
