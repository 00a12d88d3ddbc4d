#include "runtime/network/capability_args.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

// A bucket that never fills up: the rate alone limits, as with containerd and CRI-O.
constexpr uint64_t kBurstBits = std::numeric_limits<uint32_t>::max();

std::string Text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json PortMappings(const CniRequest& request) {
  Json mappings = Json::array();
  for (const CniPortMapping& mapping : request.port_mappings) {
    if (mapping.host_port <= 0) continue;
    Json entry{
        {"hostPort", mapping.host_port}, {"containerPort", mapping.container_port}, {"protocol", mapping.protocol}};
    if (!mapping.host_ip.empty()) entry["hostIP"] = mapping.host_ip;
    mappings.push_back(std::move(entry));
  }
  return mappings;
}

Json Bandwidth(const CniBandwidth& bandwidth) {
  Json out = Json::object();
  if (bandwidth.ingress_bits > 0) {
    out["ingressRate"] = bandwidth.ingress_bits;
    out["ingressBurst"] = kBurstBits;
  }
  if (bandwidth.egress_bits > 0) {
    out["egressRate"] = bandwidth.egress_bits;
    out["egressBurst"] = kBurstBits;
  }
  return out;
}

Json Dns(const CniDns& dns) {
  if (dns.Empty()) return Json::object();
  return {{"servers", dns.nameservers}, {"searches", dns.search}, {"options", dns.options}};
}

// One set for each range: the pod gets an address of every one.
Json IpRanges(const std::vector<std::string>& subnets) {
  Json out = Json::array();
  for (const std::string& subnet : subnets) out.push_back(Json::array({Json{{"subnet", subnet}}}));
  return out;
}

}  // namespace

std::string CapabilityArgs(const CniRequest& request) {
  Json all{{"portMappings", PortMappings(request)},
           {"bandwidth", Bandwidth(request.bandwidth)},
           {"dns", Dns(request.dns)},
           {"ipRanges", IpRanges(request.ip_ranges)},
           {"io.kubernetes.cri.pod-annotations", request.annotations}};
  if (!request.cgroup_path.empty()) all["cgroupPath"] = request.cgroup_path;
  Json out = Json::object();
  for (const auto& [name, value] : all.items()) {
    if (!value.empty()) out[name] = value;
  }
  return Text(out);
}

Result<std::string> RuntimeConfigFor(const CniPlugin& plugin, std::string_view capability_args) {
  ASSIGN_OR_RETURN(const Json all, base::ParseJson(capability_args, "capability arguments for " + plugin.type));
  Json out = Json::object();
  for (const auto& [name, wanted] : plugin.capabilities) {
    if (wanted && all.contains(name)) out[name] = all[name];
  }
  return out.empty() ? std::string() : Text(out);
}

}  // namespace portcullis::runtime
