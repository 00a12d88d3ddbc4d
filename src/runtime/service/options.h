// Settings of the embedded runtime. Every default is what a node uses; tests give their own folders for all of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/network/default_network.h"
#include "runtime/registry/image_puller.h"
#include "runtime/streaming/streaming_server.h"

namespace portcullis::runtime {

struct ServiceOptions {
  std::string state_dir = "/var/lib/portcullis";  // images, snapshots, bundles, state.db: survives a reboot
  std::string run_dir = "/run/portcullis";        // mounts, namespaces, exit codes: gone after a reboot

  std::string sandbox_image = "registry.k8s.io/pause:3.10";
  PullerOptions registry;
  StreamingOptions streaming;        // exec, attach and port-forward
  std::string oci_runtime = "auto";  // auto, runc, crun or an absolute path
  std::string conmon_path = "/usr/bin/conmon";

  // The profile behind RuntimeDefault: "containerd", "cri-o", "docker", one release of them ("containerd@1.7.13"), or
  // the path of a profile file (anything with a slash).
  std::string default_profile = "containerd";
  // Compile profiles here and hand crun the ready filter (compiled_filters.h). Off: the OCI runtime asks libseccomp.
  bool compile_seccomp = true;
  // Pause processes of our own (portcullis-pause, beside this program) where they do; off: the OCI runtime's.
  bool own_pause = true;
  // Localhost profiles must lie in here: <kubelet root-dir>/seccomp.
  std::string seccomp_root = "/var/lib/kubelet/seccomp";

  std::string cni_conf_dir = "/etc/cni/net.d";
  std::vector<std::string> cni_bin_dirs = {"/usr/lib/cni", "/opt/cni/bin"};
  // --cni-default; folder and leases are those of this node, whatever it says.
  std::optional<DefaultNetworkOptions> default_network;

  std::string cgroup_driver = "cgroupfs";  // or "systemd", which must be PID 1 then
  std::string default_cgroup_parent;       // for pods that name none; "": /portcullis, or portcullis.slice
  int64_t pod_pids_limit = -1;             // processes per pod; -1: no limit

  std::string self_seccomp;  // the daemon's --self-seccomp, told by Status and nothing else

  std::chrono::milliseconds runtime_deadline{std::chrono::seconds(120)};     // of one call to the OCI runtime
  std::chrono::milliseconds kill_deadline{std::chrono::seconds(10)};         // from SIGKILL to gone
  std::chrono::milliseconds monitor_check_period{std::chrono::seconds(10)};  // how soon a dead conmon is noticed
};

}  // namespace portcullis::runtime
