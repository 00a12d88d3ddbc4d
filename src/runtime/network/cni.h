// Attaches pods to the network through CNI plugins (CNI spec 0.1.0 to 1.1.0; Debian's containernetworking-plugins speak
// 0.1.0 to 1.0.0).
//
//   Cni cni({.conf_dir = "/etc/cni/net.d", .bin_dirs = {"/usr/lib/cni", "/opt/cni/bin"}, .cache_dir =
//   "/run/portcullis/cni"}); ASSIGN_OR_RETURN(CniResult result, cni.Add({.container_id = sandbox_id, .netns_path =
//   path, .pod_name = "web", ...})); result.ips[0].address == "10.88.0.5/16";  result.PodIps() == {"10.88.0.5"}
//   TRY(cni.Del(sandbox_id));
//
// The configuration is looked for at every call (cni_config.h), so the folder may change at any time. ADD keeps what it
// did in <cache_dir>/<container id>.json *before* the first plugin runs, so that DEL works after a crash, a restart or
// a change of the configuration, with the configuration the pod was attached with. A failed ADD is followed by DEL
// here. Calls for one container must be serial (the caller's job); different containers are independent. Every plugin
// call has a deadline, after which it and all that it started are killed.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/network/cni_cache.h"
#include "runtime/network/cni_config.h"
#include "runtime/network/cni_request.h"
#include "runtime/network/cni_result.h"
#include "runtime/network/host_ports.h"

namespace portcullis::runtime {

struct CniOptions {
  std::string conf_dir = "/etc/cni/net.d";
  std::vector<std::string> bin_dirs = {"/usr/lib/cni", "/opt/cni/bin"};
  std::string cache_dir = "/run/portcullis/cni";
  std::chrono::milliseconds plugin_timeout = std::chrono::seconds(30);
  // What the node does itself for a pod about to be attached need not be done by plugins (default_network.h).
  std::function<CniNetwork(CniNetwork, const CniRequest&)> adapt;
};

struct CniStatus {
  bool ready = false;
  std::string reason;   // "" or "NetworkPluginNotReady"
  std::string message;  // "" or why, for people
  // What is used, also when it is not ready; "" when there is none.
  std::string network;
  std::string file;
  std::string cni_version;
  std::vector<std::string> skipped;  // broken files, each with what is wrong
};

class Cni {
 public:
  explicit Cni(CniOptions options);

  // Errors name network, file and plugin. kFailedPrecondition also when another pod has the host port.
  Result<CniResult> Add(const CniRequest& request);
  // Undoes ADD; fine when nothing is there or half of it. Call it before the namespace is deleted: when that is gone,
  // plugins free the address but may leave firewall rules (bridge 1.1.1 does). When a plugin fails the others run all
  // the same, and what is known of the attachment stays for another try.
  Result<void> Del(const std::string& container_id);
  // The same for a pod that is to end. Where the namespace is gone and a plugin fails for another reason than that it
  // is not there now (codes 11, 50, 51, the deadline), the attachment is forgotten with a warning: what the kernel had
  // is gone too, and a pod whose plugin is no longer installed must not stay for ever.
  Result<void> DelOrForget(const std::string& container_id);
  // Asks the plugins whether the attachment is as ADD left it; kUnimplemented below cniVersion 0.4.0.
  Result<void> Check(const std::string& container_id);
  // Tells plugins of cniVersion 1.1.0 which attachments there are, so that they free what others had. No other call may
  // run meanwhile.
  Result<void> Gc();

  // What ADD returned, from the cache; kNotFound.
  Result<CniResult> Cached(const std::string& container_id) const;
  // Container ids with a cache file: those that need DEL if their sandbox is gone.
  Result<std::vector<std::string>> Attached() const;

  // Configuration present, executables found, versions spoken, and from 1.1.0 on STATUS. Cheap otherwise: VERSION is
  // only asked again when the configuration changed. Changes of the folder are logged here and by Add.
  CniStatus Status();

 private:
  // The folder's network in the version to use.
  Result<CniNetwork> CurrentNetwork();
  void TellChange(const CniFolder& folder);
  // Picks the newest version that all plugins speak; an error names the plugin that speaks none.
  Result<void> Negotiate(CniNetwork& network);
  Result<std::string> FindPlugin(const std::string& type) const;
  // One plugin of the attachment's chain; its standard output.
  Result<std::string> Call(std::string_view command, const CniAttachment& attachment, const CniPlugin& plugin) const;
  Result<std::string> CallWithoutPod(std::string_view command, const CniPlugin& plugin, std::string config) const;
  Result<CniResult> Attach(CniAttachment& attachment) const;
  Result<void> Detach(const CniAttachment& attachment) const;
  Result<void> Forget(const std::string& container_id);
  std::string CachePath(const std::string& container_id) const;

  CniOptions options_;
  HostPorts host_ports_;  // of all attachments
  std::mutex mutex_;
  std::string told_;                // what TellChange said last
  std::string negotiated_source_;   // the configuration that Negotiate accepted last,
  std::string negotiated_version_;  // and with what
};

}  // namespace portcullis::runtime
