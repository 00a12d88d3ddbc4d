#include "runtime/service/network_request.h"

#include "base/strings.h"
#include "base/try.h"
#include "spec/k8s/quantity.h"

namespace portcullis::runtime {
namespace {

constexpr int64_t kLeastBits = 1000;                  // "1k"
constexpr int64_t kMostBits = 1'000'000'000'000'000;  // "1P"

std::string ProtocolName(cri::Protocol protocol) {
  switch (protocol) {
    case cri::Protocol::kUdp:
      return "udp";
    case cri::Protocol::kSctp:
      return "sctp";
    case cri::Protocol::kTcp:
      break;
  }
  return "tcp";
}

Result<int64_t> Rate(const std::map<std::string, std::string>& annotations, const std::string& name) {
  const auto it = annotations.find(name);
  if (it == annotations.end()) return 0;
  const auto quantity = k8s::Quantity::Parse(it->second);
  if (!quantity) {
    return Fail(Code::kInvalidArgument, "annotation {}: {} is no quantity of bits per second, as 10M is", name,
                base::Quote(it->second));
  }
  const int64_t bits = quantity->Value();
  if (bits < kLeastBits || bits > kMostBits) {
    return Fail(Code::kInvalidArgument, "annotation {}: {} is unreasonably {} (must be 1k to 1P bits per second)", name,
                base::Quote(it->second), bits < kLeastBits ? "small" : "large");
  }
  return bits;
}

}  // namespace

Result<CniBandwidth> BandwidthOf(const std::map<std::string, std::string>& annotations) {
  CniBandwidth bandwidth;
  ASSIGN_OR_RETURN(bandwidth.ingress_bits, Rate(annotations, "kubernetes.io/ingress-bandwidth"));
  ASSIGN_OR_RETURN(bandwidth.egress_bits, Rate(annotations, "kubernetes.io/egress-bandwidth"));
  return bandwidth;
}

Result<CniRequest> CniRequestOf(const SandboxRow& row, const std::vector<std::string>& ip_ranges) {
  CniRequest request;
  request.container_id = row.id;
  request.netns_path = row.netns_path;
  request.pod_namespace = row.config.metadata->namespace_;
  request.pod_name = row.config.metadata->name;
  request.pod_uid = row.config.metadata->uid;
  for (const cri::PortMapping& port : row.config.port_mappings) {
    request.port_mappings.push_back({.host_port = port.host_port,
                                     .container_port = port.container_port,
                                     .protocol = ProtocolName(port.protocol),
                                     .host_ip = port.host_ip});
  }
  ASSIGN_OR_RETURN(request.bandwidth, BandwidthOf(row.config.annotations));
  if (row.config.dns_config) {
    request.dns.nameservers = row.config.dns_config->servers;
    request.dns.search = row.config.dns_config->searches;
    request.dns.options = row.config.dns_config->options;
  }
  request.ip_ranges = ip_ranges;
  if (row.config.linux) request.cgroup_path = row.config.linux->cgroup_parent;
  request.annotations = row.config.annotations;
  return request;
}

std::optional<cri::DNSConfig> DnsOf(const SandboxRow& row) {
  const auto& wanted = row.config.dns_config;
  if (wanted && (!wanted->servers.empty() || !wanted->searches.empty() || !wanted->options.empty())) return wanted;
  if (row.network_result.empty()) return wanted;  // the host's network
  const auto result = ParseCniResult(row.network_result, "", "1.0.0");
  if (!result || result->dns.Empty()) return wanted;
  cri::DNSConfig dns{
      .servers = result->dns.nameservers, .searches = result->dns.search, .options = result->dns.options};
  if (dns.searches.empty() && !result->dns.domain.empty()) dns.searches.push_back(result->dns.domain);
  return dns;
}

}  // namespace portcullis::runtime
