// What one pod wants of the network: the input of Cni::Add.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/network/cni_result.h"

namespace portcullis::runtime {

struct CniPortMapping {
  int32_t host_port = 0;  // 0: none
  int32_t container_port = 0;
  std::string protocol = "tcp";  // tcp, udp, sctp
  std::string host_ip;           // "": every address of the host

  friend bool operator==(const CniPortMapping&, const CniPortMapping&) = default;
};

// As seen by the pod, bits per second; 0: no limit.
struct CniBandwidth {
  int64_t ingress_bits = 0;
  int64_t egress_bits = 0;
};

struct CniRequest {
  std::string container_id;  // the sandbox's id
  std::string netns_path;
  std::string interface_name = "eth0";
  std::string pod_namespace;
  std::string pod_name;
  std::string pod_uid;
  // For plugins that declare the capability (capability_args.h).
  std::vector<CniPortMapping> port_mappings;  // those with host_port > 0 are passed on
  CniBandwidth bandwidth;
  CniDns dns;                          // the pod's own; empty: not said
  std::vector<std::string> ip_ranges;  // subnets, one a family: "10.244.1.0/24"
  std::string cgroup_path;             // of the pod
  std::map<std::string, std::string> annotations;
};

}  // namespace portcullis::runtime
