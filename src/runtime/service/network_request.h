// From a sandbox to what it wants of the network. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/network/cni_request.h"
#include "runtime/store/store.h"

namespace portcullis::runtime {

// Rates of the annotations kubernetes.io/ingress-bandwidth and egress-bandwidth: quantities of bits per second, 1k to
// 1P as in Kubernetes (pkg/util/bandwidth). An error names annotation and value.
Result<CniBandwidth> BandwidthOf(const std::map<std::string, std::string>& annotations);

// `ip_ranges`: the pod CIDRs that the kubelet told, if any.
Result<CniRequest> CniRequestOf(const SandboxRow& row, const std::vector<std::string>& ip_ranges);

// The DNS settings for the pod's resolv.conf: those of CRI; where it has none, those of the row's CNI result.
std::optional<cri::DNSConfig> DnsOf(const SandboxRow& row);

}  // namespace portcullis::runtime
