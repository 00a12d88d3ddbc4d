// `--cni-default`: a bridge network for nodes that have no CNI configuration.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace portcullis::runtime {

struct DefaultNetworkOptions {
  std::string conf_dir = "/etc/cni/net.d";
  std::string name = "portcullis";
  std::string bridge = "portcullis0";
  std::string subnet = "10.88.0.0/16";
  // Where host-local keeps leases; volatile, so that a reboot frees all addresses. "" = the plugin's own place.
  std::string ipam_dir = "/run/portcullis/cni/ipam";
};

// The conflist's text: bridge with masquerading and host-local addresses, then portmap; cniVersion 1.0.0.
Result<std::string> DefaultNetworkConfig(const DefaultNetworkOptions& options);

// Writes <conf_dir>/87-portcullis-bridge.conflist unless the folder already has a network configuration. Returns the
// path written, or nullopt when there was one.
Result<std::optional<std::string>> InstallDefaultNetwork(const DefaultNetworkOptions& options);

}  // namespace portcullis::runtime
