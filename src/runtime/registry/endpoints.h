// Where a registry's images are asked for: its mirrors in the order given, then the registry itself.
//
// The file has the form of k3s's registries.yaml, which administrators know:
//   mirrors:
//     docker.io:                            # a registry's host[:port], or "*" for all that are not named here
//       endpoint: ["http://127.0.0.1:5000"]
//   configs:
//     registry.example.com:5000:            # host[:port] of a registry or of a mirror's endpoint
//       auth: {username: u, password: p}    # or auth: <base64 of user:password>, identity_token, token
//       tls: {ca_file: /etc/ca.pem, cert_file: c, key_file: k, insecure_skip_verify: false}
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"
#include "runtime/registry/credentials.h"

namespace portcullis::runtime {

struct Endpoint {
  std::string url;       // "https://registry-1.docker.io", no slash at the end
  std::string mirrored;  // of a mirror: the registry whose images it is asked for; else ""
  http::TlsOptions tls;
  Credentials credentials;  // from the file
};

class Registries {
 public:
  // An unknown field, or a value of another kind, is an error naming file, line and field.
  static Result<Registries> Parse(std::string_view yaml, const std::string& name_for_errors);

  // Loopback registries speak plain HTTP unless `configs` gives them tls.
  std::vector<Endpoint> For(const std::string& registry) const;

 private:
  struct Host {
    bool has_tls = false;
    http::TlsOptions tls;
    Credentials credentials;
  };
  Endpoint Make(const std::string& url_or_host, const std::string& mirrored) const;

  std::map<std::string, std::vector<std::string>> mirrors_;
  std::map<std::string, Host> hosts_;
};

}  // namespace portcullis::runtime
