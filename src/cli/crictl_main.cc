// crictl: settings from flags, environment and file, then one verb over a socket.
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <iostream>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl_flags.h"
#include "cli/verbs.h"
#include "cri/grpc/client.h"

namespace portcullis::cli {
namespace {

constexpr std::chrono::milliseconds kDefaultConnectTimeout = std::chrono::seconds(2);
constexpr std::chrono::milliseconds kLeastCallTimeout = std::chrono::minutes(2);

std::string FirstOf(const std::string& a, const std::string& b, const std::string& fallback) {
  if (!a.empty()) return a;
  return b.empty() ? fallback : b;
}

Result<ClientConfig> Settings(const CrictlInvocation& invocation) {
  const bool named = !invocation.config_file.empty();
  ASSIGN_OR_RETURN(ClientConfig config, LoadClientConfig(named ? invocation.config_file : kDefaultClientConfig, named));
  config.runtime_endpoint = FirstOf(invocation.runtime_endpoint, config.runtime_endpoint, kDefaultEndpoint);
  config.image_endpoint = FirstOf(invocation.image_endpoint, config.image_endpoint, "");
  config.debug = config.debug || invocation.debug;
  if (!invocation.timeout.empty()) {
    ASSIGN_OR_RETURN(config.timeout, ParseTimeout(invocation.timeout));
  }
  if (config.timeout.count() == 0) config.timeout = kDefaultConnectTimeout;
  return config;
}

// Tells the usual two reasons before gRPC finds its own words for them.
Result<void> CheckSocket(const std::string& endpoint) {
  constexpr std::string_view kUnix = "unix://";
  const std::string path = endpoint.starts_with(kUnix) ? endpoint.substr(kUnix.size()) : endpoint;
  if (!path.starts_with("/")) return {};
  if (!base::Exists(path)) {
    return Fail(
        Code::kUnavailable,
        "no runtime at {}: the socket does not exist; start one (portcullis node, or portcullis runtime), or name "
        "another with --runtime-endpoint or in {}",
        endpoint, kDefaultClientConfig);
  }
  if (access(path.c_str(), R_OK | W_OK) != 0 && errno == EACCES) {
    return Fail(Code::kPermissionDenied, "no permission to use the socket {}: try again with sudo", path);
  }
  return {};
}

// poll(2) on nothing: an interrupting signal ends the wait, and with its default action the program.
bool Pause(std::chrono::milliseconds time) { return poll(nullptr, 0, static_cast<int>(time.count())) == 0; }

Result<int> RunOverSocket(const CrictlInvocation& invocation) {
  ASSIGN_OR_RETURN(const ClientConfig config, Settings(invocation));
  if (config.debug) base::SetLogLevel(base::LogLevel::kDebug);
  TRY(CheckSocket(config.runtime_endpoint));
  if (!config.image_endpoint.empty()) TRY(CheckSocket(config.image_endpoint));
  std::chrono::milliseconds call_timeout = std::max(config.timeout, kLeastCallTimeout);
  if (!invocation.call_timeout.empty()) {
    ASSIGN_OR_RETURN(call_timeout, ParseTimeout(invocation.call_timeout));
  }
  auto runtime = cri::Connect({.endpoint = config.runtime_endpoint,
                               .image_endpoint = config.image_endpoint,
                               .timeout = call_timeout,
                               .connect_timeout = config.timeout});
  if (!runtime) return Wrap(std::move(runtime).error(), "connect to the runtime");
  // As crictl does; a runtime that cannot tell may still answer the verb.
  if (const auto version = (*runtime)->Version({.version = "v1"}); version) {
    base::LogDebug("connected", {{"endpoint", config.runtime_endpoint},
                                 {"runtime", version->runtime_name},
                                 {"version", version->runtime_version}});
  } else if (version.error().code == Code::kUnavailable) {
    return Wrap(version.error(), "connect to the runtime at {}", config.runtime_endpoint);
  } else {
    base::LogDebug("the runtime does not tell its version", {{"error", version.error().message}});
  }
  Session session{.runtime = **runtime, .out = std::cout, .err = std::cerr, .pause = Pause};
  return invocation.run(session, config);
}

}  // namespace

int CrictlMain(int argc, char** argv) {
  auto parsed = ParseCrictl(argc, argv);
  if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
  const CrictlInvocation& invocation = std::get<CrictlInvocation>(parsed);
  const std::string config_file = invocation.config_file.empty() ? kDefaultClientConfig : invocation.config_file;
  const auto code = invocation.run_alone ? invocation.run_alone(config_file) : RunOverSocket(invocation);
  std::cout.flush();
  if (code) return *code;
  std::cerr << "crictl: " << code.error().message << '\n';
  return 1;
}

}  // namespace portcullis::cli
