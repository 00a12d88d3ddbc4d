#include <nlohmann/json.hpp>

#include "base/try.h"
#include "cri/json.h"
#include "runtime/service/bundle.h"
#include "runtime/service/filters.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/verbose_info.h"

namespace portcullis::runtime {
namespace {

cri::PodSandboxStatus CriStatus(const SandboxRow& row) {
  cri::PodSandboxStatus status;
  status.id = row.id;
  status.metadata = row.config.metadata;
  status.state = StateOf(row);
  status.created_at = row.created_at;
  auto& network = status.network.emplace();
  if (row.step == SandboxStep::kReady && !row.ips.empty()) {
    network.ip = row.ips.front();
    for (size_t i = 1; i < row.ips.size(); ++i) network.additional_ips.push_back({.ip = row.ips[i]});
  }
  cri::NamespaceOption options;
  if (row.config.linux && row.config.linux->security_context && row.config.linux->security_context->namespace_options) {
    options = *row.config.linux->security_context->namespace_options;
  }
  status.linux.emplace().namespaces.emplace().options = options;
  status.labels = row.config.labels;
  status.annotations = row.config.annotations;
  status.runtime_handler = row.runtime_handler;
  return status;
}

}  // namespace

Result<cri::PodSandboxStatusResponse> RuntimeService::PodSandboxStatus(const cri::PodSandboxStatusRequest& request) {
  ASSIGN_OR_RETURN(const SandboxRow row, FindSandbox(request.pod_sandbox_id));
  cri::PodSandboxStatusResponse response;
  response.status = CriStatus(row);
  if (!request.verbose) return response;
  nlohmann::json info;
  info["pid"] = row.pid;
  info["processStatus"] = row.pid != 0 ? "running" : "deleted";
  info["netNamespaceClosed"] = row.netns_path.empty() && !row.ips.empty();
  info["netNamespace"] = row.netns_path;
  info["image"] = options_.sandbox_image;
  info["snapshotKey"] = row.id;
  info["snapshotter"] = "overlayfs";
  info["runtimeHandler"] = row.runtime_handler;
  info["runtimeType"] = oci_->options().program.name;
  info["config"] = cri::ToGoJson(row.config);
  auto spec = ReadSpecText(paths_.Bundle(row.id));
  info["runtimeSpec"] = JsonOrNull(spec ? *spec : "");
  info["cniResult"] = JsonOrNull(row.network_result);
  const std::string maker = row.pause_start != 0 ? kOwnPause : oci_->options().program.name;
  info["pauseProcess"] = "made by " + maker;
  info["seccompProfile"] = row.seccomp;
  info["seccompFilter"] = SeccompFilterText(info["runtimeSpec"], maker);
  info["warnings"] = row.warnings;
  response.info = InfoMap(info);
  return response;
}

}  // namespace portcullis::runtime
