// Who we are to a registry: from a CRI request, or from a config.json as `docker login` and `skopeo login` write it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::runtime {

struct Credentials {
  std::string username;
  std::string password;
  std::string identity_token;  // an OAuth2 refresh token, exchanged at the token server
  std::string registry_token;  // a bearer token, sent as it is

  bool operator==(const Credentials&) const = default;
  bool empty() const { return *this == Credentials{}; }
};

// `auth` of config.json and CRI's AuthConfig: base64 of "user:password".
Result<void> DecodeAuth(std::string_view auth, Credentials& out);

// The `auths` of a config.json by "host[:port][/path]"; scheme and "/v1/" of old keys are taken off, and
// "index.docker.io" is "docker.io".
class DockerConfig {
 public:
  // Errors name the file and the registry. Credential helpers are programs of their own and not run.
  static Result<DockerConfig> Parse(std::string_view json, const std::string& name_for_errors);

  // The longest key that is `registry` or a path's beginning in `registry/repository`; empty when there is none.
  Credentials Find(const std::string& registry, const std::string& repository) const;

 private:
  std::map<std::string, Credentials> auths_;
};

}  // namespace portcullis::runtime
