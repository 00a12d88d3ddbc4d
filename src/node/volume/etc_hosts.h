// The managed /etc/hosts of a pod's containers, as the kubelet writes it.
#pragma once

#include <span>
#include <string>

#include "spec/k8s/pod.h"

namespace portcullis::node {

struct EtcHostsInput {
  std::span<const std::string> pod_ips;
  std::string host_name;        // k8s::PodHostname(pod)
  std::string cluster_domain;   // for the fully qualified name of pods with a subdomain
  std::string node_hosts_text;  // the node's own file: the base for host network pods
};
std::string EtcHostsText(const k8s::Pod& pod, const EtcHostsInput& input);

}  // namespace portcullis::node
