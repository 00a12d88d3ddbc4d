#include "runtime/registry/credentials.h"

#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

// Part of a program's name, and never of a path.
bool IsHelperName(std::string_view text) {
  static constexpr std::string_view kKnown = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !text.empty() && text.size() <= 64 && text.find_first_not_of(kKnown) == std::string_view::npos;
}

Result<std::string> HelperName(const nlohmann::json& value, const std::string& what) {
  if (value.is_string() && (value.get_ref<const std::string&>().empty() || IsHelperName(value.get<std::string>()))) {
    return value.get<std::string>();
  }
  return Fail(Code::kInvalidArgument, "{} is not the name of a credential helper", what);
}

}  // namespace

Result<void> DecodeAuth(std::string_view auth, Credentials& out) {
  const auto text = base::FromBase64(auth);
  const size_t colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) return Fail(Code::kInvalidArgument, "auth is not the base64 of user:password");
  out.username = text->substr(0, colon);
  out.password = text->substr(colon + 1);
  return {};
}

Result<DockerConfig> DockerConfig::Parse(std::string_view json, const std::string& name_for_errors) {
  ASSIGN_OR_RETURN(const nlohmann::json root, base::ParseJson(json, name_for_errors));
  DockerConfig config;
  if (!root.is_object()) return Fail(Code::kInvalidArgument, "{}: is not an object", name_for_errors);
  config.name_ = name_for_errors;
  if (const auto store = root.find("credsStore"); store != root.end() && !store->is_null()) {
    ASSIGN_OR_RETURN(config.store_, HelperName(*store, name_for_errors + ": credsStore"));
  }
  if (const auto helpers = root.find("credHelpers"); helpers != root.end() && !helpers->is_null()) {
    if (!helpers->is_object()) return Fail(Code::kInvalidArgument, "{}: credHelpers is not an object", name_for_errors);
    for (const auto& [key, value] : helpers->items()) {
      ASSIGN_OR_RETURN(config.helpers_[RegistryOfServerName(key)],
                       HelperName(value, fmt::format("{}: credHelpers[{}]", name_for_errors, key)));
    }
  }
  const auto auths = root.find("auths");
  if (auths == root.end() || auths->is_null()) return config;
  if (!auths->is_object()) return Fail(Code::kInvalidArgument, "{}: auths is not an object", name_for_errors);
  for (const auto& [key, entry] : auths->items()) {
    if (!entry.is_object()) return Fail(Code::kInvalidArgument, "{}: auths[{}] is not an object", name_for_errors, key);
    const auto text = [&fields = entry](const char* field) {
      const auto it = fields.find(field);
      return it != fields.end() && it->is_string() ? it->get<std::string>() : std::string();
    };
    Credentials found{.username = text("username"),
                      .password = text("password"),
                      .identity_token = text("identitytoken"),
                      .registry_token = text("registrytoken")};
    if (const std::string auth = text("auth"); !auth.empty()) {
      if (auto decoded = DecodeAuth(auth, found); !decoded) {
        return Wrap(std::move(decoded).error(), "{}: auths[{}]", name_for_errors, key);
      }
    }
    config.auths_[RegistryOfServerName(key)] = std::move(found);
  }
  return config;
}

Credentials DockerConfig::Find(const std::string& registry, const std::string& repository) const {
  for (std::string key = fmt::format("{}/{}", registry, repository);;) {
    if (const auto it = auths_.find(key); it != auths_.end()) return it->second;
    const size_t slash = key.rfind('/');
    if (slash == std::string::npos) return {};
    key = key.substr(0, slash);
  }
}

std::string DockerConfig::Helper(const std::string& registry) const {
  const auto it = helpers_.find(registry);
  return it == helpers_.end() ? store_ : it->second;
}

std::string DockerServerName(const std::string& registry) {
  return registry == "docker.io" ? "https://index.docker.io/v1/" : registry;
}

std::string RegistryOfServerName(std::string name) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (name.starts_with(scheme)) name.erase(0, scheme.size());
  }
  while (name.ends_with('/')) name.pop_back();
  for (const std::string_view version : {"/v1", "/v2"}) {
    if (name.ends_with(version)) name = name.substr(0, name.size() - version.size());
  }
  return name == "index.docker.io" || name == "registry-1.docker.io" ? "docker.io" : name;
}

}  // namespace portcullis::runtime
