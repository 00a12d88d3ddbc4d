#include "runtime/network/cni_config.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/network/cni_version.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxConfigBytes = 1u << 20;
constexpr size_t kMaxPlugins = 64;
constexpr size_t kMaxVersions = 64;
constexpr std::string_view kListSuffix = ".conflist";
constexpr std::array<std::string_view, 3> kSuffixes = {kListSuffix, ".conf", ".json"};
constexpr const char* kOldestVersion = "0.1.0";

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

Result<bool> FlagOf(const Json& root, const char* key, const std::string& where) {
  const auto it = root.find(key);
  if (it == root.end()) return false;
  if (it->is_boolean()) return it->get<bool>();
  // The spec once allowed the words as strings, and plugins' documentation still shows them.
  if (it->is_string() && (*it == "true" || *it == "false")) return *it == "true";
  return Fail(Code::kInvalidArgument, "{}: {} must be true or false, not {}", where, key, it->dump());
}

// What cniVersion and cniVersions (1.1.0) name and this runtime speaks, oldest first.
Result<std::vector<std::string>> VersionsOf(const Json& root, const std::string& where) {
  ASSIGN_OR_RETURN(std::string named, StringOf(root, "cniVersion", where));
  std::vector<std::string> all;
  if (const auto it = root.find("cniVersions"); it != root.end() && !it->is_null()) {
    if (!it->is_array() || it->size() > kMaxVersions)
      return Fail(Code::kInvalidArgument, "{}: cniVersions must be a list of up to {} versions", where, kMaxVersions);
    for (const Json& version : *it) {
      if (!version.is_string())
        return Fail(Code::kInvalidArgument, "{}: cniVersions must be a list of strings, not {}", where, it->dump());
      all.push_back(version.get<std::string>());
    }
  }
  if (!named.empty() || all.empty()) all.push_back(named.empty() ? kOldestVersion : named);
  std::string text = base::Join(all, ", ");
  std::erase_if(all, [](const std::string& version) { return !IsCniVersion(version); });
  if (all.empty()) {
    return Fail(Code::kInvalidArgument, "{}: cniVersion must be {}, not {}", where, CniVersionList(),
                base::Quote(text));
  }
  std::ranges::sort(all, [](const std::string& a, const std::string& b) { return !CniAtLeast(a, b); });
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool IsConfiguration(const std::string& name) {
  return std::ranges::any_of(kSuffixes, [&](std::string_view suffix) { return name.ends_with(suffix); });
}

Result<CniNetwork> ReadNetwork(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxConfigBytes));
  ASSIGN_OR_RETURN(CniNetwork network, ParseCniNetwork(text, path));
  ASSIGN_OR_RETURN(const Json root, base::ParseJson(text, path));
  const bool list = root.contains("plugins");
  if (list == path.ends_with(kListSuffix)) return network;
  return Fail(Code::kInvalidArgument, "network configuration {}: {}", path,
              list ? "has plugins; a list of plugins belongs in a .conflist file"
                   : "has no plugins; one plugin's object belongs in a .conf file");
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
  ASSIGN_OR_RETURN(network.versions, VersionsOf(root, where));
  network.cni_version = network.versions.back();
  ASSIGN_OR_RETURN(network.disable_check, FlagOf(root, "disableCheck", where));
  ASSIGN_OR_RETURN(network.disable_gc, FlagOf(root, "disableGC", where));
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

CniFolder LoadCniFolder(const std::string& conf_dir) {
  CniFolder folder;
  auto names = base::ListDir(conf_dir);
  if (!names) {
    if (names.error().sys_errno != ENOENT) folder.skipped.push_back(std::move(names).error());
    return folder;
  }
  for (const std::string& name : *names) {
    if (!IsConfiguration(name)) continue;
    auto network = ReadNetwork(fmt::format("{}/{}", conf_dir, name));
    if (network) {
      folder.network = *std::move(network);
      return folder;
    }
    // Removed since the folder was read.
    if (network.error().sys_errno == ENOENT) continue;
    // With it pods would land on another network than the one that is meant.
    const bool unread = IsScarcity(network.error());
    folder.skipped.push_back(std::move(network).error());
    if (unread) return folder;
  }
  return folder;
}

bool IsScarcity(const Error& error) { return error.code == Code::kResourceExhausted && error.sys_errno != 0; }

Error NoNetwork(const CniFolder& folder, const std::string& conf_dir) {
  if (folder.skipped.empty()) return {Code::kNotFound, "no network configuration in " + conf_dir, 0};
  std::vector<std::string> texts;
  texts.reserve(folder.skipped.size());
  for (const Error& error : folder.skipped) texts.push_back(error.message);
  return {Code::kFailedPrecondition,
          fmt::format("no valid network configuration in {}: {}", conf_dir, base::Join(texts, "; ")), 0};
}

}  // namespace portcullis::runtime
