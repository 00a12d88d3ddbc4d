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

// A config.json: `auths` by "host[:port][/path]" (scheme and "/v1/" of old keys are taken off, and "index.docker.io" is
// "docker.io"), and the credential helpers that it names.
class DockerConfig {
 public:
  // Errors name the file and the registry.
  static Result<DockerConfig> Parse(std::string_view json, const std::string& name_for_errors);

  // The longest key that is `registry` or a path's beginning in `registry/repository`; empty when there is none.
  Credentials Find(const std::string& registry, const std::string& repository) const;

  // "pass" when docker-credential-pass is to be asked about `registry`: of its entry in `credHelpers`, else
  // `credsStore`; "" for none.
  std::string Helper(const std::string& registry) const;

  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::map<std::string, Credentials> auths_;
  std::map<std::string, std::string> helpers_;  // by registry
  std::string store_;
};

// A registry's key as `docker login` and its helpers write it: "https://index.docker.io/v1/" for docker.io, else as it
// is.
std::string DockerServerName(const std::string& registry);
// The reverse, of any of the forms that are about: "https://index.docker.io/v1/" -> "docker.io", "http://r:5000" ->
// "r:5000".
std::string RegistryOfServerName(std::string name);

}  // namespace portcullis::runtime
