// `--cni-default`: a bridge network for nodes that have no CNI configuration.
//
//   ASSIGN_OR_RETURN(auto network, DefaultNetwork::Install({.conf_dir = "/etc/cni/net.d", .subnets = "10.88.0.0/16"}));
//   Cni cni({.conf_dir = ..., .adapt = [&](CniNetwork found, const CniRequest& pod) { return network->Adapt(...); }});
//
// The file stands for itself: any CNI runtime can use it. What this daemon does once for all pods instead of a plugin
// for each (masquerade.h) is taken out when a pod is attached, and only while the daemon's rules are known to be there.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "runtime/network/cni_config.h"
#include "runtime/network/cni_request.h"
#include "runtime/network/masquerade.h"

namespace portcullis::runtime {

struct DefaultNetworkOptions {
  std::string conf_dir = "/etc/cni/net.d";
  std::string name = "portcullis";
  std::string bridge = "portcullis0";
  std::string subnets = "10.88.0.0/16";  // subnets.h
  // Where host-local keeps leases; volatile, so that a reboot frees all addresses. "" = the plugin's own place.
  std::string ipam_dir = "/run/portcullis/cni/ipam";
  // The bridge gives up an address of another subnet. For subnets that may change while there is a bridge: pods of the
  // old one lose their gateway, which without this keeps the plugin from attaching new ones.
  bool force_address = false;
};

// The conflist's text: bridge with masquerading and host-local addresses, then portmap; cniVersion 1.0.0.
Result<std::string> DefaultNetworkConfig(const DefaultNetworkOptions& options);

// For a pod of that network on a node that masquerades: bridge without ipMasq; and without portmap, which does nothing
// at ADD and nine iptables calls at DEL, where the pod has no host port. Pure.
CniNetwork WithoutPerPodRules(CniNetwork network, const CniRequest& request);

class DefaultNetwork {
 public:
  // Writes <conf_dir>/87-portcullis-bridge.conflist unless the folder has another network configuration, also a broken
  // one: it is the user's, to be mended and not to be overruled. A file of an earlier start with other settings is
  // replaced, one that somebody has edited is not.
  static Result<std::unique_ptr<DefaultNetwork>> Install(const DefaultNetworkOptions& options);

  // From the next pod on, addresses are from these subnets (a kubelet's pod CIDRs), if the file is still as it was
  // written here. Pods that have others are still masqueraded. Thread-safe.
  Result<void> UseSubnets(const std::string& subnets);

  // For CniOptions. Thread-safe.
  CniNetwork Adapt(CniNetwork network, const CniRequest& request) const;

  // Makes the rules of the node where they are missing: at the start, and again as a firewall's reload may drop them.
  // Looks once a minute, however often it is called. Failures are logged; pods then get rules of their own.
  // Thread-safe.
  void Keep();
  // For good, when no pod is left. Also those of an earlier start, whatever the folder has now.
  void RemoveRules();

 private:
  DefaultNetwork(DefaultNetworkOptions options, MasqueradeOptions masquerade)
      : options_(std::move(options)), masquerade_(std::move(masquerade)) {}

  std::string file_;  // "": the folder has another network
  mutable std::mutex text_mutex_;
  std::string text_;  // of the file
  std::atomic<bool> masquerades_ = false;
  std::mutex mutex_;  // guards the rules and what follows
  DefaultNetworkOptions options_;
  MasqueradeOptions masquerade_;
  bool ended_ = false;
  bool told_ = false;
  std::optional<std::chrono::steady_clock::time_point> looked_;
};

}  // namespace portcullis::runtime
