#include "runtime/network/default_network.h"

#include <net/if.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr const char* kFileName = "/87-portcullis-bridge.conflist";
constexpr size_t kMaxFile = 1u << 20;
constexpr auto kLookPeriod = std::chrono::minutes(1);

Result<void> CheckBridge(const std::string& bridge) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-'; };
  if (bridge.empty() || bridge.size() >= IFNAMSIZ || bridge == "." || bridge == ".." || bridge.front() == '-' ||
      !std::ranges::all_of(bridge, fits)) {
    return Fail(Code::kInvalidArgument,
                "bridge {}: must be an interface name of 1 to {} letters, digits, \"_\", \".\" and \"-\"",
                base::Quote(bridge), IFNAMSIZ - 1);
  }
  return {};
}

// The settings that a file of ours was made with: nothing else can be in it when it is as it was written.
std::optional<DefaultNetworkOptions> SettingsIn(const std::string& text, const std::string& conf_dir) {
  const auto json = base::ParseJson(text, "");
  if (!json) return std::nullopt;
  DefaultNetworkOptions options{.conf_dir = conf_dir, .ipam_dir = ""};
  const auto read = [&](const char* pointer, std::string* target) {
    const nlohmann::json::json_pointer where(pointer);
    if (!json->contains(where) || !json->at(where).is_string()) return false;
    *target = json->at(where).get<std::string>();
    return true;
  };
  std::string second;
  if (!read("/name", &options.name) || !read("/plugins/0/bridge", &options.bridge) ||
      !read("/plugins/0/ipam/ranges/0/0/subnet", &options.subnets)) {
    return std::nullopt;
  }
  if (read("/plugins/0/ipam/ranges/1/0/subnet", &second)) options.subnets += "," + second;
  read("/plugins/0/ipam/dataDir", &options.ipam_dir);
  const nlohmann::json::json_pointer force("/plugins/0/forceAddress");
  options.force_address = json->contains(force) && json->at(force) == true;
  return options;
}

bool IsAsWritten(const std::string& text, const std::string& conf_dir) {
  const auto settings = SettingsIn(text, conf_dir);
  if (!settings) return false;
  const auto written = DefaultNetworkConfig(*settings);
  return written && *written == text;
}

}  // namespace

Result<std::string> DefaultNetworkConfig(const DefaultNetworkOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<Subnet> subnets, ParseSubnets(options.subnets));
  TRY(CheckBridge(options.bridge));
  Ordered ranges = Ordered::array();
  Ordered routes = Ordered::array();
  for (const Subnet& subnet : subnets) {
    ranges.push_back(Ordered::array({Ordered{{"subnet", subnet.text}}}));
    routes.push_back(Ordered{{"dst", subnet.v6 ? "::/0" : "0.0.0.0/0"}});
  }
  Ordered ipam{{"type", "host-local"}, {"ranges", ranges}, {"routes", routes}};
  if (!options.ipam_dir.empty()) ipam["dataDir"] = options.ipam_dir;
  Ordered bridge{{"type", "bridge"}, {"bridge", options.bridge}, {"isGateway", true},
                 {"ipMasq", true},   {"hairpinMode", true},      {"ipam", ipam}};
  if (options.force_address) bridge["forceAddress"] = true;
  const Ordered portmap{{"type", "portmap"}, {"capabilities", Ordered{{"portMappings", true}}}};
  const Ordered list{{"cniVersion", "1.0.0"}, {"name", options.name}, {"plugins", Ordered::array({bridge, portmap})}};
  std::string text = list.dump(2) + "\n";
  TRY(ParseCniNetwork(text, options.conf_dir + kFileName));  // options.name
  return text;
}

CniNetwork WithoutPerPodRules(CniNetwork network, const CniRequest& request) {
  const bool host_ports =
      std::ranges::any_of(request.port_mappings, [](const CniPortMapping& port) { return port.host_port > 0; });
  auto json = base::ParseJson(network.source, network.file);
  if (!json || !json->contains("plugins")) return network;
  auto plugins = nlohmann::json::array();
  for (nlohmann::json& plugin : (*json)["plugins"]) {
    if (plugin["type"] == "portmap" && !host_ports) continue;
    if (plugin["type"] == "bridge") plugin["ipMasq"] = false;
    plugins.push_back(std::move(plugin));
  }
  (*json)["plugins"] = std::move(plugins);
  auto adapted = ParseCniNetwork(json->dump(2) + "\n", network.file);
  return adapted ? *std::move(adapted) : network;
}

Result<std::unique_ptr<DefaultNetwork>> DefaultNetwork::Install(const DefaultNetworkOptions& options) {
  ASSIGN_OR_RETURN(std::string text, DefaultNetworkConfig(options));
  ASSIGN_OR_RETURN(std::vector<Subnet> subnets, ParseSubnets(options.subnets));
  std::unique_ptr<DefaultNetwork> network(
      new DefaultNetwork(options, {.bridge = options.bridge, .subnets = std::move(subnets)}));
  const std::string path = options.conf_dir + kFileName;
  auto existing = base::ReadFile(path, kMaxFile);
  if (!existing && existing.error().sys_errno != ENOENT) return Failure(std::move(existing).error());
  if (existing && *existing != text && !IsAsWritten(*existing, options.conf_dir)) {
    base::LogWarning("the default network's file was edited and stays as it is", {{"file", path}});
    return network;
  }
  if (!existing) {
    const CniFolder folder = LoadCniFolder(options.conf_dir);
    if (folder.network || !folder.skipped.empty()) return network;
  }
  if (!existing || *existing != text) {
    TRY(base::MakeDirs(options.conf_dir));
    TRY(base::WriteFileAtomic(path, text));
    base::LogInfo(existing ? "changed the default network" : "installed a default network",
                  {{"file", path}, {"bridge", options.bridge}, {"subnet", options.subnets}});
  }
  network->file_ = path;
  network->text_ = std::move(text);
  return network;
}

Result<void> DefaultNetwork::UseSubnets(const std::string& subnets) {
  const std::scoped_lock lock(mutex_);
  if (file_.empty() || subnets == options_.subnets) return {};
  DefaultNetworkOptions changed = options_;
  changed.subnets = subnets;
  changed.force_address = true;
  ASSIGN_OR_RETURN(std::string text, DefaultNetworkConfig(changed));
  ASSIGN_OR_RETURN(std::vector<Subnet> parsed, ParseSubnets(subnets));
  const std::scoped_lock text_lock(text_mutex_);
  const auto present = base::ReadFile(file_, kMaxFile);
  if (!present || *present != text_) {
    base::LogWarning("the default network's file is not as it was written, so its subnets stay", {{"file", file_}});
    return {};
  }
  TRY(base::WriteFileAtomic(file_, text));
  base::LogInfo("pods get addresses of other subnets", {{"file", file_}, {"subnet", subnets}});
  text_ = std::move(text);
  options_ = std::move(changed);
  masquerade_.subnets = std::move(parsed);
  masquerades_ = false;  // until the new rules are there
  looked_.reset();
  return {};
}

CniNetwork DefaultNetwork::Adapt(CniNetwork network, const CniRequest& request) const {
  if (!masquerades_ || network.file != file_) return network;
  {
    const std::scoped_lock lock(text_mutex_);
    if (network.source != text_) return network;
  }
  return WithoutPerPodRules(std::move(network), request);
}

void DefaultNetwork::Keep() {
  const std::scoped_lock lock(mutex_);
  if (file_.empty() || ended_) return;
  const auto now = std::chrono::steady_clock::now();
  if (looked_ && now - *looked_ < kLookPeriod) return;
  looked_ = now;
  const auto ensured = EnsureMasquerade(masquerade_);
  masquerades_ = ensured.has_value();
  if (!ensured && !told_) {
    base::LogWarning("no masquerading for the bridge: pods get rules of their own",
                     {{"bridge", masquerade_.bridge}, {"error", ensured.error().message}});
  }
  told_ = !ensured;
}

void DefaultNetwork::RemoveRules() {
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  masquerades_ = false;
  if (auto removed = RemoveMasquerade(masquerade_); !removed)
    base::LogWarning("masquerading is left", {{"bridge", masquerade_.bridge}, {"error", removed.error().message}});
}

}  // namespace portcullis::runtime
