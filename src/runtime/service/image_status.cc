#include <nlohmann/json.hpp>

#include "base/try.h"
#include "runtime/service/image_messages.h"
#include "runtime/service/runtime_service.h"
#include "runtime/service/verbose_info.h"

namespace portcullis::runtime {
namespace {

// The image's configuration under the keys of the OCI image specification.
nlohmann::json ImageSpecJson(const oci::ImageConfig& config) {
  nlohmann::json process = nlohmann::json::object();
  const auto put = [](nlohmann::json& json, const char* key, const auto& value) {
    if (!value.empty()) json[key] = value;
  };
  put(process, "User", config.user);
  put(process, "Env", config.env);
  put(process, "Entrypoint", config.entrypoint);
  put(process, "Cmd", config.cmd);
  put(process, "WorkingDir", config.working_dir);
  put(process, "StopSignal", config.stop_signal);
  put(process, "Labels", config.labels);
  for (const std::string& port : config.exposed_ports) process["ExposedPorts"][port] = nlohmann::json::object();
  for (const std::string& volume : config.volumes) process["Volumes"][volume] = nlohmann::json::object();
  nlohmann::json json = {{"architecture", config.platform.architecture},
                         {"os", config.platform.os},
                         {"config", std::move(process)},
                         {"rootfs", {{"type", "layers"}, {"diff_ids", config.diff_ids}}}};
  put(json, "created", config.created);
  put(json, "author", config.author);
  return json;
}

}  // namespace

Result<cri::ImageStatusResponse> RuntimeService::ImageStatus(const cri::ImageStatusRequest& request) {
  cri::ImageStatusResponse response;
  auto image = images_->Get(NameOf(request.image));
  if (!image) {
    if (image.error().code == Code::kNotFound) return response;  // CRI: no image, no error
    return Failure(std::move(image).error());
  }
  response.image = CriImage(*image);
  if (request.verbose) {
    response.info = InfoMap({{"chainID", image->chain_ids.empty() ? "" : image->chain_ids.back()},
                             {"manifestDigest", image->manifest_digest},
                             {"imageSpec", ImageSpecJson(image->config)}});
  }
  return response;
}

}  // namespace portcullis::runtime
