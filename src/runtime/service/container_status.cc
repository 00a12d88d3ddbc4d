#include <nlohmann/json.hpp>

#include "base/try.h"
#include "cri/json.h"
#include "runtime/service/bundle.h"
#include "runtime/service/filters.h"
#include "runtime/service/image_messages.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/signals.h"
#include "runtime/service/spec_input.h"
#include "runtime/service/verbose_info.h"

namespace portcullis::runtime {

cri::ContainerStatus RuntimeService::StatusOf(const ContainerRow& row) const {
  cri::ContainerStatus status;
  status.id = row.id;
  status.metadata = row.config.metadata;
  status.state = StateOf(row);
  status.created_at = row.created_at;
  status.started_at = row.started_at;
  status.finished_at = row.finished_at;
  status.exit_code = row.exit_code;
  status.image = row.config.image;
  // A kubelet asks by id. Whoever asked by name is not made to wait for the image store.
  if (status.image && IsImageId(status.image->image)) {
    if (const auto image = images_->Get(row.image_id)) status.image->image = ShownName(*status.image, *image);
  }
  status.image_ref = row.image_ref;
  status.image_id = row.image_id;
  status.reason = row.reason;
  status.message = row.message;
  status.labels = row.config.labels;
  status.annotations = row.config.annotations;
  status.mounts = row.config.mounts;
  status.log_path = row.log_path;
  status.resources.emplace().linux =
      row.config.linux && row.config.linux->resources ? *row.config.linux->resources : cri::LinuxContainerResources{};
  status.user.emplace().linux = row.user;
  status.stop_signal = CriSignal(row.stop_signal);
  return status;
}

Result<cri::ContainerStatusResponse> RuntimeService::ContainerStatus(const cri::ContainerStatusRequest& request) {
  ASSIGN_OR_RETURN(const ContainerRow row, FindContainer(request.container_id));
  cri::ContainerStatusResponse response;
  response.status = StatusOf(row);
  if (!request.verbose) return response;
  nlohmann::json info;
  info["pid"] = row.pid;
  info["sandboxID"] = row.sandbox_id;
  info["snapshotKey"] = row.id;
  info["snapshotter"] = "overlayfs";
  info["image"] = row.image_ref;
  info["privileged"] = IsPrivileged(row.config);
  info["removing"] = row.step == ContainerStep::kRemoving;
  info["runtimeType"] = oci_->options().program.name;
  info["config"] = cri::ToGoJson(row.config);
  auto spec = ReadSpecText(paths_.Bundle(row.id));
  info["runtimeSpec"] = JsonOrNull(spec ? *spec : "");
  info["seccompProfile"] = row.seccomp;
  info["seccompFilter"] = SeccompFilterText(info["runtimeSpec"], oci_->options().program.name);
  info["warnings"] = row.warnings;
  response.info = InfoMap(info);
  return response;
}

}  // namespace portcullis::runtime
