// The command line of crictl: flags and verbs as kubernetes-sigs/cri-tools' crictl has them. CLI11 stays behind this
// header.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "cli/crictl/client_config.h"
#include "cli/crictl/session.h"

namespace portcullis::cli {

struct CrictlInvocation {
  // Flag, or environment variable; "" when neither is given.
  std::string runtime_endpoint;
  std::string image_endpoint;
  std::string timeout;
  std::string call_timeout;  // of the verbs that take one; "": the usual
  std::string config_file;
  bool debug = false;

  // One of the two is set. `run` needs a runtime and returns the exit code; `run_alone` gets the configuration file.
  std::function<Result<int>(Session& session, const ClientConfig& config)> run;
  std::function<Result<int>(const std::string& config_file)> run_alone;
};

// The exit code instead, when help was asked for (0) or the words make no sense (1, told on standard error).
std::variant<CrictlInvocation, int> ParseCrictl(int argc, char** argv);

}  // namespace portcullis::cli
