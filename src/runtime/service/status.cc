#include <nlohmann/json.hpp>

#include "runtime/container/apparmor_default.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/verbose_info.h"

namespace portcullis::runtime {
namespace {

nlohmann::json ConfigJson(const ServiceOptions& options) {
  return {{"stateDir", options.state_dir},
          {"runDir", options.run_dir},
          {"sandboxImage", options.sandbox_image},
          {"ociRuntime", options.oci_runtime},
          {"conmon", options.conmon_path},
          {"defaultProfile", options.default_profile},
          {"seccompRoot", options.seccomp_root},
          {"cniConfDir", options.cni_conf_dir},
          {"cniBinDirs", options.cni_bin_dirs},
          {"cgroupDriver", options.cgroup_driver},
          {"defaultCgroupParent", options.default_cgroup_parent},
          {"podPidsLimit", options.pod_pids_limit},
          {"selfSeccomp", options.self_seccomp},
          {"runtimeDeadlineMilliseconds", options.runtime_deadline.count()},
          {"killDeadlineMilliseconds", options.kill_deadline.count()}};
}

// How many rules and names the profile has: enough to see which one it is.
nlohmann::json ProfileJson(const SeccompProfiles& seccomp) {
  size_t names = 0;
  for (const auto& rule : seccomp.default_profile().syscalls) names += rule.names.size();
  return {{"name", seccomp.default_name()},
          {"defaultAction", seccomp::ActionName(seccomp.default_profile().default_action)},
          {"rules", seccomp.default_profile().syscalls.size()},
          {"names", names}};
}

nlohmann::json AppArmorJson(const AppArmor& apparmor) {
  nlohmann::json json = {{"enabled", apparmor.enabled()}};
  if (apparmor.problem().empty()) {
    json["defaultProfile"] = kDefaultAppArmorProfile;
  } else {
    json["problem"] = apparmor.problem();
  }
  return json;
}

}  // namespace

Result<cri::StatusResponse> RuntimeService::Status(const cri::StatusRequest& request) {
  cri::StatusResponse response;
  auto& conditions = response.status.emplace().conditions;
  const auto version = oci_->RuntimeVersion();
  conditions.push_back({.type = "RuntimeReady",
                        .status = version.has_value(),
                        .reason = version ? "" : "OciRuntimeNotReady",
                        .message = version ? "" : version.error().message});
  const CniStatus network = cni_->Status();
  conditions.push_back(
      {.type = "NetworkReady", .status = network.ready, .reason = network.reason, .message = network.message});
  for (const std::string& name : {std::string(), oci_->options().program.name}) {
    response.runtime_handlers.push_back(
        {.name = name, .features = cri::RuntimeHandlerFeatures{.recursive_read_only_mounts = true}});
  }
  response.features = cri::RuntimeFeatures{.supplemental_groups_policy = true};
  if (request.verbose) {
    const nlohmann::json info = {
        {"version", kRuntimeVersion},
        {"runtimeName", kRuntimeName},
        {"defaultProfile", ProfileJson(seccomp_)},
        {"kernelSeccomp", seccomp_.kernel_has_seccomp()},
        {"ociRuntime",
         {{"name", oci_->options().program.name},
          {"path", oci_->options().program.path},
          {"version", version ? version->version : ""}}},
        {"apparmor", AppArmorJson(*apparmor_)},
        {"cgroups", {{"layout", CgroupLayoutName(cgroups_.layout())}, {"driver", options_.cgroup_driver}}},
        {"sandboxes", registry_->Sandboxes().size()},
        {"containers", registry_->Containers().size()},
        {"lastCNILoadStatus", network.ready ? "OK" : network.message},
        {"cniNetwork",
         {{"name", network.network},
          {"file", network.file},
          {"cniVersion", network.cni_version},
          {"skipped", network.skipped}}},
        {"config", ConfigJson(options_)}};
    response.info = InfoMap(info);
  }
  return response;
}

}  // namespace portcullis::runtime
