#include "runtime/registry/credentials.h"

#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

std::string NormalKey(std::string key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.erase(0, scheme.size());
  }
  while (key.ends_with('/')) key.pop_back();
  for (const std::string_view version : {"/v1", "/v2"}) {
    if (key.ends_with(version)) key = key.substr(0, key.size() - version.size());
  }
  return key == "index.docker.io" || key == "registry-1.docker.io" ? "docker.io" : key;
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
  const auto auths = root.find("auths");
  if (auths == root.end() || auths->is_null()) return config;
  if (!auths->is_object()) return Fail(Code::kInvalidArgument, "{}: auths is not an object", name_for_errors);
  for (const auto& [key, entry] : auths->items()) {
    if (!entry.is_object()) return Fail(Code::kInvalidArgument, "{}: auths[{}] is not an object", name_for_errors, key);
    const auto text = [&entry = entry](const char* field) {
      const auto it = entry.find(field);
      return it != entry.end() && it->is_string() ? it->get<std::string>() : std::string();
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
    config.auths_[NormalKey(key)] = std::move(found);
  }
  return config;
}

Credentials DockerConfig::Find(const std::string& registry, const std::string& repository) const {
  for (std::string key = registry + "/" + repository;;) {
    if (const auto it = auths_.find(key); it != auths_.end()) return it->second;
    const size_t slash = key.rfind('/');
    if (slash == std::string::npos) return {};
    key = key.substr(0, slash);
  }
}

}  // namespace portcullis::runtime
