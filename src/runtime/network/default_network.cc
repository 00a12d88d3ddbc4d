#include "runtime/network/default_network.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/network/cni_config.h"

namespace portcullis::runtime {
namespace {

constexpr const char* kFileName = "/87-portcullis-bridge.conflist";
constexpr uint64_t kLongestPrefix = 30;  // network, gateway, one pod, broadcast

Result<void> CheckSubnet(const std::string& subnet) {
  const size_t slash = subnet.find('/');
  in_addr address{};
  if (slash != std::string::npos && ::inet_pton(AF_INET, subnet.substr(0, slash).c_str(), &address) == 1) {
    const auto prefix = base::ParseUint(std::string_view(subnet).substr(slash + 1));
    if (prefix && *prefix >= 8 && *prefix <= kLongestPrefix) {
      const uint32_t host_bits = ntohl(address.s_addr) & (~uint32_t{0} >> *prefix);
      if (host_bits == 0) return {};
    }
  }
  return Fail(Code::kInvalidArgument,
              "pod subnet {}: must be an IPv4 network such as 10.88.0.0/16, with a prefix of 8 to {}",
              base::Quote(subnet), kLongestPrefix);
}

Result<void> CheckBridge(const std::string& bridge) {
  if (bridge.empty() || bridge.size() >= IFNAMSIZ || bridge.find_first_of("/: \t\n") != std::string::npos) {
    return Fail(Code::kInvalidArgument, "bridge {}: must be an interface name of 1 to {} characters",
                base::Quote(bridge), IFNAMSIZ - 1);
  }
  return {};
}

}  // namespace

Result<std::string> DefaultNetworkConfig(const DefaultNetworkOptions& options) {
  TRY(CheckSubnet(options.subnet));
  TRY(CheckBridge(options.bridge));
  using Ordered = nlohmann::ordered_json;
  Ordered ipam{{"type", "host-local"},
               {"ranges", Ordered::array({Ordered::array({Ordered{{"subnet", options.subnet}}})})},
               {"routes", Ordered::array({Ordered{{"dst", "0.0.0.0/0"}}})}};
  if (!options.ipam_dir.empty()) ipam["dataDir"] = options.ipam_dir;
  const Ordered bridge{{"type", "bridge"}, {"bridge", options.bridge}, {"isGateway", true},
                       {"ipMasq", true},   {"hairpinMode", true},      {"ipam", ipam}};
  const Ordered portmap{{"type", "portmap"}, {"capabilities", Ordered{{"portMappings", true}}}};
  const Ordered list{{"cniVersion", "1.0.0"}, {"name", options.name}, {"plugins", Ordered::array({bridge, portmap})}};
  std::string text = list.dump(2) + "\n";
  TRY(ParseCniNetwork(text, options.conf_dir + kFileName));  // options.name
  return text;
}

Result<std::optional<std::string>> InstallDefaultNetwork(const DefaultNetworkOptions& options) {
  const auto existing = FindCniNetwork(options.conf_dir);
  // A broken configuration is one all the same: the user's, to be mended and not to be overruled.
  if (existing || existing.error().code != Code::kNotFound) return std::optional<std::string>();
  ASSIGN_OR_RETURN(const std::string text, DefaultNetworkConfig(options));
  TRY(base::MakeDirs(options.conf_dir));
  const std::string path = options.conf_dir + kFileName;
  TRY(base::WriteFileAtomic(path, text));
  return std::optional<std::string>(path);
}

}  // namespace portcullis::runtime
