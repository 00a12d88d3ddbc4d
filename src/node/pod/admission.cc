#include "node/pod/admission.h"

#include <algorithm>

namespace portcullis::node {
namespace {

bool AnyAddress(const std::string& ip) { return ip.empty() || ip == "0.0.0.0" || ip == "::"; }

bool Overlap(const k8s::ContainerPort& a, const k8s::ContainerPort& b) {
  if (a.host_port == 0 || a.host_port != b.host_port || a.protocol != b.protocol) return false;
  return AnyAddress(a.host_ip) || AnyAddress(b.host_ip) || a.host_ip == b.host_ip;
}

}  // namespace

bool HostPortsConflict(const k8s::PodSpec& a, const k8s::PodSpec& b) {
  for (const k8s::Container& ours : a.containers) {
    for (const k8s::ContainerPort& port : ours.ports) {
      for (const k8s::Container& theirs : b.containers) {
        for (const k8s::ContainerPort& other : theirs.ports) {
          if (Overlap(port, other)) return true;
        }
      }
    }
  }
  return false;
}

bool UsesHostPorts(const k8s::PodSpec& spec) {
  return std::ranges::any_of(spec.containers, [](const k8s::Container& container) {
    return std::ranges::any_of(container.ports, [](const k8s::ContainerPort& port) { return port.host_port != 0; });
  });
}

k8s::PodStatus RejectedForPorts() {
  k8s::PodStatus status;
  status.phase = "Failed";
  status.reason = "NodePorts";
  status.message =
      "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
  return status;
}

}  // namespace portcullis::node
