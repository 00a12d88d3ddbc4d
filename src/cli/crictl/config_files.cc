#include "cli/crictl/config_files.h"

#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "cri/json.h"

namespace portcullis::cli {
namespace {

constexpr size_t kMaxConfigSize = 1u << 20;

Result<nlohmann::json> LoadDocument(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxConfigSize));
  ASSIGN_OR_RETURN(const base::Document document, base::ParseYaml(text, path));
  if (!document.root().is_object()) return Fail(Code::kInvalidArgument, "{}: expected an object", path);
  return document.root();
}

template <class T>
Result<T> Convert(const nlohmann::json& json, const std::string& path) {
  auto config = cri::FromJson<T>(json);
  if (!config) return Wrap(std::move(config).error(), "{}", path);
  return config;
}

// crictl's files have the values of environment variables as plain text, while CRI's JSON has bytes as base64.
Result<std::vector<cri::KeyValue>> TakeEnvs(nlohmann::json& json, const std::string& path) {
  std::vector<cri::KeyValue> envs;
  const auto found = json.find("envs");
  if (found == json.end() || !found->is_array()) return envs;
  for (const nlohmann::json& item : *found) {
    const std::string where = fmt::format("{}: .envs[{}]", path, envs.size());
    cri::KeyValue& env = envs.emplace_back();
    if (!item.is_object()) return Fail(Code::kInvalidArgument, "{}: expected key and value", where);
    for (const auto& [key, value] : item.items()) {
      if ((key != "key" && key != "value") || !value.is_string()) {
        return Fail(Code::kInvalidArgument, "{}.{}: expected key and value, both texts", where, key);
      }
      (key == "key" ? env.key : env.value) = value.get_ref<const std::string&>();
    }
    if (env.key.empty()) return Fail(Code::kInvalidArgument, "{}.key is not set", where);
  }
  json.erase(found);
  return envs;
}

}  // namespace

Result<cri::PodSandboxConfig> LoadPodConfig(const std::string& path) {
  ASSIGN_OR_RETURN(const nlohmann::json json, LoadDocument(path));
  ASSIGN_OR_RETURN(cri::PodSandboxConfig config, Convert<cri::PodSandboxConfig>(json, path));
  if (!config.metadata) return Fail(Code::kInvalidArgument, "{}: metadata is not set", path);
  if (config.metadata->name.empty() || config.metadata->namespace_.empty()) {
    return Fail(Code::kInvalidArgument, "{}: metadata has no name or no namespace", path);
  }
  if (config.metadata->uid.empty()) config.metadata->uid = base::RandomHex(16);
  return config;
}

Result<cri::ContainerConfig> LoadContainerConfig(const std::string& path) {
  ASSIGN_OR_RETURN(nlohmann::json json, LoadDocument(path));
  ASSIGN_OR_RETURN(std::vector<cri::KeyValue> envs, TakeEnvs(json, path));
  ASSIGN_OR_RETURN(cri::ContainerConfig config, Convert<cri::ContainerConfig>(json, path));
  if (!envs.empty()) config.envs = std::move(envs);
  if (!config.metadata || config.metadata->name.empty()) {
    return Fail(Code::kInvalidArgument, "{}: metadata has no name", path);
  }
  if (!config.image || config.image->image.empty()) {
    return Fail(Code::kInvalidArgument, "{}: image is not set", path);
  }
  if (config.image->user_specified_image.empty()) config.image->user_specified_image = config.image->image;
  return config;
}

}  // namespace portcullis::cli
