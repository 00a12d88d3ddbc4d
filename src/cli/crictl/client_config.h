// /etc/crictl.yaml: where the runtime is and how long to wait for it.
//
//   runtime-endpoint: unix:///run/portcullis/portcullis.sock
//   image-endpoint: ""
//   timeout: 2
//   debug: false
//   pull-image-on-create: false
//   disable-pull-on-run: false
#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace portcullis::cli {

inline constexpr char kDefaultClientConfig[] = "/etc/crictl.yaml";
inline constexpr char kDefaultEndpoint[] = "unix:///run/portcullis/portcullis.sock";

struct ClientConfig {
  std::string runtime_endpoint;
  std::string image_endpoint;            // "": the runtime's
  std::chrono::milliseconds timeout{0};  // 0: not set
  bool debug = false;
  bool pull_on_create = false;
  bool disable_pull_on_run = false;
};

// An absent file is an empty configuration unless `must_exist`. Unknown keys are errors with the nearest known one.
Result<ClientConfig> LoadClientConfig(const std::string& path, bool must_exist);

// Where verbs other than crictl look for the runtime: the flag, then crictl's environment variable
// (CONTAINER_RUNTIME_ENDPOINT) and configuration file, then our own socket.
Result<std::string> RuntimeEndpoint(const std::string& flag);

// crictl's timeouts: a Go duration ("10s") or whole seconds ("10").
Result<std::chrono::milliseconds> ParseTimeout(const std::string& text);

// The verb `config`: `list` prints all settings, `get` one; `set` ("key=value", "key=value,key=value") and a key with
// its value write the file.
struct ConfigVerbOptions {
  bool list = false;
  std::string get;
  std::vector<std::string> set;
  std::string key;
  std::string value;
};
Result<void> RunConfigVerb(std::ostream& out, const std::string& path, const ConfigVerbOptions& options);

}  // namespace portcullis::cli
