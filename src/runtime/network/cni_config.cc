#include "runtime/network/cni_config.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxConfigBytes = 1u << 20;
constexpr size_t kMaxPlugins = 64;
constexpr std::array<std::string_view, 3> kSuffixes = {".conflist", ".conf", ".json"};
// Whose result format this code reads. Older ones give addresses in another shape.
constexpr std::array<std::string_view, 2> kVersions = {"1.0.0", "1.1.0"};

bool IsNetworkName(std::string_view name) {
  const auto word = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (name.empty() || !word(name.front())) return false;
  return std::ranges::all_of(name, [&](char c) { return word(c) || c == '_' || c == '.' || c == '-'; });
}

Result<std::string> StringOf(const Json& object, const char* key, const std::string& where) {
  const auto it = object.find(key);
  if (it == object.end()) return std::string();
  if (!it->is_string()) return Fail(Code::kInvalidArgument, "{}: {} must be a string, not {}", where, key, it->dump());
  return it->get<std::string>();
}

Result<CniPlugin> PluginFrom(const Json& json, const std::string& where) {
  if (!json.is_object()) return Fail(Code::kInvalidArgument, "{}: must be an object, not {}", where, json.type_name());
  CniPlugin plugin;
  ASSIGN_OR_RETURN(plugin.type, StringOf(json, "type", where));
  if (plugin.type.empty()) return Fail(Code::kInvalidArgument, "{}: type is missing", where);
  if (plugin.type.find('/') != std::string::npos || plugin.type.front() == '.') {
    return Fail(Code::kInvalidArgument, "{}: type {} is not the name of an executable", where,
                base::Quote(plugin.type));
  }
  if (const auto it = json.find("capabilities"); it != json.end() && !it->is_null()) {
    if (!it->is_object()) return Fail(Code::kInvalidArgument, "{}: capabilities must be an object", where);
    for (const auto& [name, value] : it->items()) {
      if (!value.is_boolean())
        return Fail(Code::kInvalidArgument, "{}: capabilities.{} must be true or false", where, name);
      plugin.capabilities[name] = value.get<bool>();
    }
  }
  plugin.config = json.dump();
  return plugin;
}

Result<bool> DisableCheckOf(const Json& root, const std::string& file) {
  const auto it = root.find("disableCheck");
  if (it == root.end()) return false;
  if (it->is_boolean()) return it->get<bool>();
  // The spec once allowed the words as strings, and plugins' documentation still shows them.
  if (it->is_string() && (*it == "true" || *it == "false")) return *it == "true";
  return Fail(Code::kInvalidArgument, "network configuration {}: disableCheck must be true or false, not {}", file,
              it->dump());
}

}  // namespace

Result<CniNetwork> ParseCniNetwork(std::string_view text, const std::string& file) {
  const std::string where = "network configuration " + file;
  ASSIGN_OR_RETURN(const Json root, base::ParseJson(text, file));
  if (!root.is_object()) return Fail(Code::kInvalidArgument, "{}: must be an object", where);
  CniNetwork network;
  network.file = file;
  network.source = text;
  ASSIGN_OR_RETURN(network.name, StringOf(root, "name", where));
  if (!IsNetworkName(network.name)) {
    return Fail(Code::kInvalidArgument,
                "{}: name {} must be letters, digits, \"_\", \".\" and \"-\", and begin with a letter or digit", where,
                base::Quote(network.name));
  }
  ASSIGN_OR_RETURN(network.cni_version, StringOf(root, "cniVersion", where));
  if (std::ranges::find(kVersions, network.cni_version) == kVersions.end()) {
    return Fail(Code::kInvalidArgument, "{}: cniVersion must be 1.0.0 or 1.1.0, not {}", where,
                base::Quote(network.cni_version));
  }
  ASSIGN_OR_RETURN(network.disable_check, DisableCheckOf(root, file));
  const auto plugins = root.find("plugins");
  if (plugins == root.end()) {
    ASSIGN_OR_RETURN(CniPlugin only, PluginFrom(root, where));
    network.plugins.push_back(std::move(only));
    return network;
  }
  if (!plugins->is_array() || plugins->empty() || plugins->size() > kMaxPlugins) {
    return Fail(Code::kInvalidArgument, "{}: plugins must be a list of 1 to {} objects", where, kMaxPlugins);
  }
  for (size_t i = 0; i < plugins->size(); ++i) {
    ASSIGN_OR_RETURN(CniPlugin plugin, PluginFrom((*plugins)[i], fmt::format("{}: plugins[{}]", where, i)));
    network.plugins.push_back(std::move(plugin));
  }
  return network;
}

Result<CniNetwork> FindCniNetwork(const std::string& conf_dir) {
  auto names = base::ListDir(conf_dir);
  if (!names && names.error().sys_errno != ENOENT) return Failure(std::move(names).error());
  if (names) {
    for (const std::string& name : *names) {
      if (std::ranges::none_of(kSuffixes, [&](std::string_view suffix) { return name.ends_with(suffix); })) continue;
      const std::string path = conf_dir + "/" + name;
      ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxConfigBytes));
      return ParseCniNetwork(text, path);
    }
  }
  return Fail(Code::kNotFound, "no network configuration in {}", conf_dir);
}

}  // namespace portcullis::runtime
