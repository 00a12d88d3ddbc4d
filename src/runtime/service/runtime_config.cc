#include "base/strings.h"
#include "base/try.h"
#include "runtime/network/subnets.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {
namespace {

// A kubelet tells them once after its own start, not after ours.
constexpr char kPodCidrSetting[] = "pod_cidr";

}  // namespace

// A kubelet (1.28 and later) takes its cgroup driver from here.
Result<cri::RuntimeConfigResponse> RuntimeService::RuntimeConfig(const cri::RuntimeConfigRequest&) {
  cri::RuntimeConfigResponse response;
  response.linux = cri::LinuxRuntimeConfiguration{.cgroup_driver = driver_};
  return response;
}

// The kubelet tells its pod CIDRs. They are told on to plugins with the capability "ipRanges" and are the subnets of
// the default network, from the next pod on; another configuration is the administrator's.
Result<cri::UpdateRuntimeConfigResponse> RuntimeService::UpdateRuntimeConfig(
    const cri::UpdateRuntimeConfigRequest& request) {
  std::vector<std::string> ranges;
  if (request.runtime_config && request.runtime_config->network_config &&
      !request.runtime_config->network_config->pod_cidr.empty()) {
    auto subnets = ParseSubnets(request.runtime_config->network_config->pod_cidr);
    if (!subnets) return Wrap(std::move(subnets).error(), "runtime_config.network_config.pod_cidr");
    for (Subnet& subnet : *subnets) ranges.push_back(std::move(subnet.text));
  }
  const std::lock_guard lock(ip_ranges_mutex_);
  if (ranges == ip_ranges_) return cri::UpdateRuntimeConfigResponse{};
  const std::string text = base::Join(ranges, ",");
  TRY(registry_->store().SetSetting(kPodCidrSetting, text));
  if (default_network_) {
    TRY(default_network_->UseSubnets(ranges.empty() ? options_.default_network->subnets : text));
    default_network_->Keep();
  }
  ip_ranges_ = std::move(ranges);
  return cri::UpdateRuntimeConfigResponse{};
}

Result<void> RuntimeService::RecallPodCidr() {
  ASSIGN_OR_RETURN(const auto told, registry_->store().Setting(kPodCidrSetting));
  if (!told || told->empty()) return {};
  const std::lock_guard lock(ip_ranges_mutex_);
  ip_ranges_ = base::Split(*told, ',');
  return {};
}

std::vector<std::string> RuntimeService::IpRanges() {
  const std::lock_guard lock(ip_ranges_mutex_);
  return ip_ranges_;
}

}  // namespace portcullis::runtime
