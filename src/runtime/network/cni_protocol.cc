#include "runtime/network/cni_protocol.h"

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/network/capability_args.h"
#include "runtime/network/plugin_processes.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxOutput = 1u << 20;
constexpr size_t kMaxVersions = 256;
constexpr size_t kMaxSaid = 2048;
constexpr int kTryAgainLater = 11;
constexpr int kPluginNotAvailable = 50;
constexpr int kLimitedConnectivity = 51;

std::string PodArguments(const CniRequest& request) {
  return fmt::format(
      "IgnoreUnknown=1;K8S_POD_NAMESPACE={};K8S_POD_NAME={};K8S_POD_INFRA_CONTAINER_ID={};K8S_POD_UID={}",
      request.pod_namespace, request.pod_name, request.container_id, request.pod_uid);
}

std::vector<std::string> Environment(const PluginCall& call, const std::string& mark) {
  const char* path = std::getenv("PATH");  // plugins run iptables, nft, modprobe
  std::vector<std::string> env = {fmt::format("CNI_COMMAND={}", call.command),
                                  "CNI_PATH=" + base::Join(call.bin_dirs, ":"),
                                  std::string("PATH=") + (path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path),
                                  fmt::format("{}={}", kCallVariable, mark)};
  if (call.request != nullptr) {
    env.push_back("CNI_CONTAINERID=" + call.request->container_id);
    env.push_back("CNI_NETNS=" + call.request->netns_path);
    env.push_back("CNI_IFNAME=" + call.request->interface_name);
    env.push_back("CNI_ARGS=" + PodArguments(*call.request));
  }
  return env;
}

std::string TextOf(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::string EndOf(int exit_code) {
  constexpr int kKilledBy = 128;
  const char* signal = exit_code > kKilledBy ? ::sigabbrev_np(exit_code - kKilledBy) : nullptr;
  return signal == nullptr ? fmt::format("exit code {}", exit_code)
                           : fmt::format("killed by signal {} (SIG{})", exit_code - kKilledBy, signal);
}

// A plugin reports failure as JSON on standard output; one that crashes leaves whatever it wrote to standard error.
Failure PluginFailure(const PluginCall& call, const base::CommandResult& result) {
  const std::string what = fmt::format("network plugin {} {}", call.executable, call.command);
  const auto json = base::ParseJson(result.out, what);
  if (!json || !json->is_object() || !json->contains("msg")) {
    const std::string_view said = base::Trim(result.err.empty() ? result.out : result.err);
    return Fail(Code::kInternal, "{}: {}: {}", what, EndOf(result.exit_code),
                said.empty() ? "no output" : said.substr(0, kMaxSaid));
  }
  const auto code = json->find("code");
  const int64_t number = code != json->end() && code->is_number_integer() ? code->get<int64_t>() : 0;
  const std::string details = TextOf(*json, "details");
  const bool later = number == kTryAgainLater || number == kPluginNotAvailable || number == kLimitedConnectivity;
  return Fail(later ? Code::kUnavailable : Code::kInternal, "{}: {}{}{} (code {})", what, TextOf(*json, "msg"),
              details.empty() ? "" : "; ", details, number);
}

}  // namespace

Result<std::string> RunPlugin(const PluginCall& call) {
  const std::string mark = base::RandomHex(16);
  base::CommandOptions options;
  options.spawn.argv = {call.executable};
  options.spawn.env = Environment(call, mark);
  options.spawn.working_dir = "/";
  options.spawn.new_session = true;
  options.input = call.config;
  options.timeout = call.timeout;
  options.max_output = kMaxOutput;
  options.on_timeout = [&mark] { KillProcessesOfCall(mark); };
  auto result = base::RunCommand(options);
  if (!result) {
    KillProcessesOfCall(mark);  // one that writes without end, too
    return Wrap(std::move(result).error(), "network plugin {} {}", call.executable, call.command);
  }
  if (result->exit_code != 0) return PluginFailure(call, *result);
  return std::move(result->out);
}

Result<std::string> PluginInput(const CniNetwork& network, const CniPlugin& plugin, std::string_view capability_args,
                                const std::string& previous_result) {
  ASSIGN_OR_RETURN(Json config, base::ParseJson(plugin.config, plugin.type));
  config["cniVersion"] = network.cni_version;
  config["name"] = network.name;
  for (const char* key : {"capabilities", "cniVersions", "disableCheck", "disableGC"}) config.erase(key);
  ASSIGN_OR_RETURN(const std::string runtime_config, RuntimeConfigFor(plugin, capability_args));
  if (!runtime_config.empty()) {
    ASSIGN_OR_RETURN(config["runtimeConfig"], base::ParseJson(runtime_config, "runtimeConfig for " + plugin.type));
  }
  if (!previous_result.empty()) {
    ASSIGN_OR_RETURN(config["prevResult"], base::ParseJson(previous_result, "previous result for " + plugin.type));
  }
  return config.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::string> GcInput(const CniNetwork& network, const CniPlugin& plugin,
                            const std::vector<CniRequest>& attachments) {
  ASSIGN_OR_RETURN(const std::string text, PluginInput(network, plugin, "{}", ""));
  ASSIGN_OR_RETURN(Json config, base::ParseJson(text, plugin.type));
  Json& valid = config["cni.dev/valid-attachments"] = Json::array();
  for (const CniRequest& attachment : attachments)
    valid.push_back({{"containerID", attachment.container_id}, {"ifname", attachment.interface_name}});
  return config.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::vector<std::string>> ParseVersions(std::string_view text, const std::string& plugin) {
  const std::string where = "version of network plugin " + plugin;
  ASSIGN_OR_RETURN(const Json json, base::ParseJson(text, where));
  if (!json.is_object()) return Fail(Code::kInternal, "{}: must be an object", where);
  const auto versions = json.find("supportedVersions");
  if (versions == json.end() || !versions->is_array() || versions->size() > kMaxVersions)
    return Fail(Code::kInternal, "{}: supportedVersions is missing", where);
  std::vector<std::string> out;
  for (const Json& version : *versions) {
    if (version.is_string()) out.push_back(version.get<std::string>());
  }
  return out;
}

}  // namespace portcullis::runtime
