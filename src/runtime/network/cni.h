// Attaches pods to the network through CNI plugins (spec 1.0.0; what Debian's containernetworking-plugins speak).
//
//   Cni cni({.conf_dir = "/etc/cni/net.d", .bin_dirs = {"/usr/lib/cni", "/opt/cni/bin"}, .cache_dir =
//   "/run/portcullis/cni"}); ASSIGN_OR_RETURN(CniResult result, cni.Add({.container_id = sandbox_id, .netns_path =
//   path, .pod_name = "web", ...})); result.ips[0].address == "10.88.0.5/16";  result.PodIps() == {"10.88.0.5"}
//   TRY(cni.Del(sandbox_id));
//
// ADD keeps what it did in <cache_dir>/<container id>.json *before* the first plugin runs, so that DEL works after a
// crash, a restart or a change of the configuration, with the configuration the pod was attached with. A failed ADD is
// followed by DEL here. Calls for one container must be serial (the caller's job); different containers are
// independent. Every plugin call has a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/network/cni_config.h"

namespace portcullis::runtime {

struct CniOptions {
  std::string conf_dir = "/etc/cni/net.d";
  std::vector<std::string> bin_dirs = {"/usr/lib/cni", "/opt/cni/bin"};
  std::string cache_dir = "/run/portcullis/cni";
  std::chrono::milliseconds plugin_timeout = std::chrono::seconds(30);
};

struct CniPortMapping {
  int32_t host_port = 0;
  int32_t container_port = 0;
  std::string protocol = "tcp";  // tcp, udp, sctp
  std::string host_ip;
};

struct CniRequest {
  std::string container_id;  // the sandbox's id
  std::string netns_path;
  std::string interface_name = "eth0";
  std::string pod_namespace;
  std::string pod_name;
  std::string pod_uid;
  std::vector<CniPortMapping> port_mappings;  // those with host_port > 0 are passed on
};

struct CniAddress {
  std::string address;  // with prefix length: "10.88.0.5/16"
  std::string gateway;  // "" when not given
};

struct CniResult {
  std::vector<CniAddress> ips;
  std::vector<std::string> interfaces;  // names, host side too
  std::string json;                     // the whole result, as the last plugin gave it

  // Addresses without prefix length; the first is the pod's IP.
  std::vector<std::string> PodIps() const;
};

struct CniStatus {
  bool ready = false;
  std::string reason;   // "" or "NetworkPluginNotReady"
  std::string message;  // "" or why, for people
};

class Cni {
 public:
  explicit Cni(CniOptions options) : options_(std::move(options)) {}

  Result<CniResult> Add(const CniRequest& request);
  // Undoes ADD; fine when nothing is there or half of it. Call it before the namespace is deleted: when that is gone,
  // plugins free the address but may leave firewall rules (bridge 1.1.1 does).
  Result<void> Del(const std::string& container_id);
  // Asks the plugins whether the attachment is as ADD left it.
  Result<void> Check(const std::string& container_id);

  // What ADD returned, from the cache; kNotFound.
  Result<CniResult> Cached(const std::string& container_id) const;
  // Container ids with a cache file: those that need DEL if their sandbox is gone.
  Result<std::vector<std::string>> Attached() const;

  // Configuration present, executables found, versions spoken. Cheap: the plugins are only asked again when the
  // configuration changed.
  CniStatus Status();

 private:
  Result<std::string> FindPlugin(const std::string& type) const;
  Result<void> CheckVersions(const CniNetwork& network) const;
  std::string CachePath(const std::string& container_id) const;

  CniOptions options_;
  std::mutex mutex_;
  std::string checked_source_;  // configuration that passed CheckVersions
};

}  // namespace portcullis::runtime
