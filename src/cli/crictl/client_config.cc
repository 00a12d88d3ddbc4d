#include "cli/crictl/client_config.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/clock.h"
#include "base/document.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/output/table.h"
#include "cli/output/yaml.h"

namespace portcullis::cli {
namespace {

constexpr size_t kMaxSize = 64u << 10;
constexpr std::array<std::string_view, 6> kKeys = {"runtime-endpoint",     "image-endpoint",     "timeout", "debug",
                                                   "pull-image-on-create", "disable-pull-on-run"};

Failure UnknownKey(const std::string& where, const std::string& key) {
  const auto nearest = base::Nearest(key, kKeys);
  return Fail(Code::kInvalidArgument, "{}: unknown setting {}{}", where, base::Quote(key),
              nearest ? " (did you mean " + base::Quote(*nearest) + "?)" : "");
}

Result<nlohmann::json> LoadSettings(const std::string& path, bool must_exist) {
  if (!must_exist && !base::Exists(path)) return nlohmann::json::object();
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxSize));
  ASSIGN_OR_RETURN(const base::Document document, base::ParseYaml(text, path));
  if (document.root().is_null()) return nlohmann::json::object();
  if (!document.root().is_object()) return Fail(Code::kInvalidArgument, "{}: expected a list of settings", path);
  for (const auto& [key, value] : document.root().items()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) return UnknownKey(path, key);
  }
  return document.root();
}

// Settings are texts, numbers or booleans; all are compared and shown as text.
std::string TextOf(const nlohmann::json& settings, std::string_view key) {
  const auto found = settings.find(key);
  if (found == settings.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

// What `config` shows of a setting that the file does not have.
std::string ShownOf(const nlohmann::json& settings, std::string_view key) {
  const std::string text = TextOf(settings, key);
  if (!text.empty() || key.ends_with("endpoint")) return text;
  return key == "timeout" ? "0" : "false";
}

// Writes one setting as crictl itself can read it: its timeout is a whole number of seconds.
Result<void> Set(nlohmann::json& settings, const std::string& key, const std::string& value) {
  if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) return UnknownKey("config", key);
  if (key.ends_with("endpoint")) {
    settings[key] = value;
  } else if (key == "timeout") {
    ASSIGN_OR_RETURN(const std::chrono::milliseconds timeout, ParseTimeout(value));
    if (timeout % std::chrono::seconds(1) != std::chrono::seconds(0)) {
      return Fail(Code::kInvalidArgument, "timeout {}: expected whole seconds", base::Quote(value));
    }
    settings[key] = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
  } else {
    const auto boolean = base::ParseGoBool(value);
    if (!boolean) {
      return Fail(Code::kInvalidArgument, "{}: expected true or false, got {}", key, base::Quote(value));
    }
    settings[key] = *boolean;
  }
  return {};
}

Result<bool> BoolOf(const nlohmann::json& settings, std::string_view key, const std::string& path) {
  const std::string text = TextOf(settings, key);
  if (text.empty()) return false;
  const auto value = base::ParseGoBool(text);
  if (!value)
    return Fail(Code::kInvalidArgument, "{}: {}: expected true or false, got {}", path, key, base::Quote(text));
  return *value;
}

Result<ClientConfig> FromSettings(const nlohmann::json& settings, const std::string& path) {
  ClientConfig config;
  config.runtime_endpoint = TextOf(settings, "runtime-endpoint");
  config.image_endpoint = TextOf(settings, "image-endpoint");
  if (const std::string timeout = TextOf(settings, "timeout"); !timeout.empty()) {
    auto parsed = ParseTimeout(timeout);
    if (!parsed) return Wrap(std::move(parsed).error(), "{}", path);
    config.timeout = *parsed;
  }
  ASSIGN_OR_RETURN(config.debug, BoolOf(settings, "debug", path));
  ASSIGN_OR_RETURN(config.pull_on_create, BoolOf(settings, "pull-image-on-create", path));
  ASSIGN_OR_RETURN(config.disable_pull_on_run, BoolOf(settings, "disable-pull-on-run", path));
  return config;
}

}  // namespace

Result<std::chrono::milliseconds> ParseTimeout(const std::string& text) {
  if (const auto seconds = base::ParseUint(text); seconds && *seconds <= 1'000'000) {
    return std::chrono::seconds(*seconds);
  }
  const auto duration = base::ParseGoDuration(text);
  if (!duration || duration->count() < 0) {
    return Fail(Code::kInvalidArgument, "timeout {}: expected a duration such as 10s", base::Quote(text));
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(*duration);
}

Result<ClientConfig> LoadClientConfig(const std::string& path, bool must_exist) {
  ASSIGN_OR_RETURN(const nlohmann::json settings, LoadSettings(path, must_exist));
  return FromSettings(settings, path);
}

Result<std::string> RuntimeEndpoint(const std::string& flag) {
  if (!flag.empty()) return flag;
  if (const char* set = std::getenv("CONTAINER_RUNTIME_ENDPOINT"); set != nullptr && *set != '\0')
    return std::string(set);
  ASSIGN_OR_RETURN(const ClientConfig config, LoadClientConfig(kDefaultClientConfig, false));
  return config.runtime_endpoint.empty() ? std::string(kDefaultEndpoint) : config.runtime_endpoint;
}

Result<void> RunConfigVerb(std::ostream& out, const std::string& path, const ConfigVerbOptions& options) {
  ASSIGN_OR_RETURN(nlohmann::json settings, LoadSettings(path, false));
  if (!options.get.empty()) {
    if (std::find(kKeys.begin(), kKeys.end(), options.get) == kKeys.end()) return UnknownKey("config", options.get);
    out << ShownOf(settings, options.get) << '\n';
    return {};
  }
  if (options.set.empty() && options.key.empty()) {
    if (!options.list) return Fail(Code::kInvalidArgument, "nothing to do, use --list, --get NAME or --set NAME=VALUE");
    Table table({"KEY", "VALUE"});
    for (const std::string_view key : kKeys) table.AddRow({std::string(key), ShownOf(settings, key)});
    out << table.Text();
    return {};
  }
  if (!options.key.empty()) TRY(Set(settings, options.key, options.value));
  for (const std::string& list : options.set) {
    for (const std::string& setting : base::Split(list, ',')) {
      const size_t equals = setting.find('=');
      if (equals == std::string::npos) {
        return Fail(Code::kInvalidArgument, "config --set {}: expected NAME=VALUE", base::Quote(setting));
      }
      TRY(Set(settings, setting.substr(0, equals), setting.substr(equals + 1)));
    }
  }
  TRY(FromSettings(settings, path));
  return base::WriteFileAtomic(path, ToYaml(settings));
}

}  // namespace portcullis::cli
