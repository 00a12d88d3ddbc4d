#include "runtime/network/cni_protocol.h"

#include <arpa/inet.h>

#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxOutput = 1u << 20;
constexpr size_t kMaxAddresses = 256;
constexpr int kTryAgainLater = 11;
constexpr int kPluginNotAvailable = 50;

std::string PodArguments(const CniRequest& request) {
  return fmt::format(
      "IgnoreUnknown=1;K8S_POD_NAMESPACE={};K8S_POD_NAME={};K8S_POD_INFRA_CONTAINER_ID={};K8S_POD_UID={}",
      request.pod_namespace, request.pod_name, request.container_id, request.pod_uid);
}

std::vector<std::string> Environment(const PluginCall& call) {
  const char* path = std::getenv("PATH");  // plugins run iptables, nft, modprobe
  std::vector<std::string> env = {fmt::format("CNI_COMMAND={}", call.command),
                                  "CNI_PATH=" + base::Join(call.bin_dirs, ":"),
                                  std::string("PATH=") + (path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path)};
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

// A plugin reports failure as JSON on standard output; one that crashes leaves whatever it wrote to standard error.
Failure PluginFailure(const PluginCall& call, const base::CommandResult& result) {
  const std::string what = fmt::format("network plugin {} {}", call.executable, call.command);
  const auto json = base::ParseJson(result.out, what);
  if (!json || !json->is_object() || !json->contains("msg")) {
    const std::string_view said = base::Trim(result.err.empty() ? result.out : result.err);
    return Fail(Code::kInternal, "{}: exit code {}: {}", what, result.exit_code,
                said.empty() ? "no output" : said.substr(0, 2048));
  }
  const auto code = json->find("code");
  const int64_t number = code != json->end() && code->is_number_integer() ? code->get<int64_t>() : 0;
  const std::string details = TextOf(*json, "details");
  return Fail(number == kTryAgainLater || number == kPluginNotAvailable ? Code::kUnavailable : Code::kInternal,
              "{}: {}{}{} (code {})", what, TextOf(*json, "msg"), details.empty() ? "" : "; ", details, number);
}

bool IsAddressWithPrefix(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return false;
  const std::string address = text.substr(0, slash);
  const auto prefix = base::ParseUint(std::string_view(text).substr(slash + 1));
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  if (!prefix) return false;
  if (::inet_pton(AF_INET, address.c_str(), ignored.data()) == 1) return *prefix <= 32;
  return ::inet_pton(AF_INET6, address.c_str(), ignored.data()) == 1 && *prefix <= 128;
}

Json PortMappings(const CniRequest& request) {
  Json mappings = Json::array();
  for (const CniPortMapping& mapping : request.port_mappings) {
    if (mapping.host_port <= 0) continue;
    Json entry{
        {"hostPort", mapping.host_port}, {"containerPort", mapping.container_port}, {"protocol", mapping.protocol}};
    if (!mapping.host_ip.empty()) entry["hostIP"] = mapping.host_ip;
    mappings.push_back(std::move(entry));
  }
  return mappings;
}

}  // namespace

Result<std::string> RunPlugin(const PluginCall& call) {
  base::CommandOptions options;
  options.spawn.argv = {call.executable};
  options.spawn.env = Environment(call);
  options.spawn.working_dir = "/";
  options.spawn.new_session = true;
  options.input = call.config;
  options.timeout = call.timeout;
  options.max_output = kMaxOutput;
  auto result = base::RunCommand(options);
  if (!result) return Wrap(std::move(result).error(), "network plugin {} {}", call.executable, call.command);
  if (result->exit_code != 0) return PluginFailure(call, *result);
  return std::move(result->out);
}

Result<std::string> PluginInput(const CniNetwork& network, const CniPlugin& plugin, const CniRequest& request,
                                const std::string& previous_result) {
  ASSIGN_OR_RETURN(Json config, base::ParseJson(plugin.config, plugin.type));
  config["cniVersion"] = network.cni_version;
  config["name"] = network.name;
  config.erase("capabilities");
  config.erase("disableCheck");
  const auto wants = plugin.capabilities.find("portMappings");
  if (wants != plugin.capabilities.end() && wants->second) {
    Json mappings = PortMappings(request);
    if (!mappings.empty()) config["runtimeConfig"]["portMappings"] = std::move(mappings);
  }
  if (!previous_result.empty()) {
    ASSIGN_OR_RETURN(config["prevResult"], base::ParseJson(previous_result, "previous result for " + plugin.type));
  }
  return config.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> CniResult::PodIps() const {
  std::vector<std::string> out;
  for (const CniAddress& ip : ips) out.push_back(ip.address.substr(0, ip.address.find('/')));
  return out;
}

Result<CniResult> ParseCniResult(std::string_view text, const std::string& plugin) {
  const std::string where = "result of network plugin " + plugin;
  ASSIGN_OR_RETURN(const Json json, base::ParseJson(text, where));
  if (!json.is_object()) return Fail(Code::kInternal, "{}: must be an object", where);
  CniResult result;
  result.json = text;
  if (const auto ips = json.find("ips"); ips != json.end() && !ips->is_null()) {
    if (!ips->is_array() || ips->size() > kMaxAddresses) return Fail(Code::kInternal, "{}: ips must be a list", where);
    for (const Json& ip : *ips) {
      if (!ip.is_object()) return Fail(Code::kInternal, "{}: ips must be a list of objects", where);
      CniAddress address{.address = TextOf(ip, "address"), .gateway = TextOf(ip, "gateway")};
      if (!IsAddressWithPrefix(address.address)) {
        return Fail(Code::kInternal, "{}: {} is no address with prefix length", where, base::Quote(address.address));
      }
      result.ips.push_back(std::move(address));
    }
  }
  if (const auto interfaces = json.find("interfaces"); interfaces != json.end() && !interfaces->is_null()) {
    if (!interfaces->is_array() || interfaces->size() > kMaxAddresses)
      return Fail(Code::kInternal, "{}: interfaces must be a list", where);
    for (const Json& interface : *interfaces) {
      if (!interface.is_object()) return Fail(Code::kInternal, "{}: interfaces must be a list of objects", where);
      result.interfaces.push_back(TextOf(interface, "name"));
    }
  }
  return result;
}

Result<std::vector<std::string>> ParseVersions(std::string_view text, const std::string& plugin) {
  const std::string where = "version of network plugin " + plugin;
  ASSIGN_OR_RETURN(const Json json, base::ParseJson(text, where));
  const auto versions = json.find("supportedVersions");
  if (versions == json.end() || !versions->is_array())
    return Fail(Code::kInternal, "{}: supportedVersions is missing", where);
  std::vector<std::string> out;
  for (const Json& version : *versions) {
    if (version.is_string()) out.push_back(version.get<std::string>());
  }
  return out;
}

}  // namespace portcullis::runtime
