// Node: the kubelet's role in one object, against any CRI runtime.
//
//   Node node(options, *runtime);      // our runtime in process, or a gRPC client of containerd or CRI-O
//   TRY(node.Start());
//   ... node.http_port() serves /healthz, /pods, /metrics, /configz
//   node.Stop();                       // pods run on; the next start adopts them
//
// Takes values only: flags, configuration files and their checks are the caller's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cri/runtime_api.h"
#include "node/image/gc_policy.h"
#include "node/log/log_rotation.h"
#include "node/pod/manager.h"
#include "node/pod/settings.h"
#include "node/source/manifest_store.h"
#include "spec/k8s/node_allocatable.h"

namespace portcullis::node {

struct NodeOptions {
  // pods.node_name is required. Left empty (0) and found out by Start: host_ip, memory_capacity, cpu_capacity_milli
  // (and what of them is allocatable), cgroup_v2, runtime_name. A runtime that tells its cgroup driver (RuntimeConfig)
  // decides it.
  PodSettings pods;
  std::string static_pod_path;  // folder or file; "": no static pods
  std::chrono::milliseconds file_check_frequency{std::chrono::seconds(20)};
  std::string static_pod_url;  // "": no pods from a URL
  std::map<std::string, std::vector<std::string>> static_pod_url_headers;
  std::chrono::milliseconds http_check_frequency{std::chrono::seconds(20)};
  std::string http_address = "127.0.0.1";
  std::optional<uint16_t> http_port = 10248;  // 0: any free port; nullopt: no server
  std::string version;                        // for portcullis_build_info
  std::string configz = "{}";                 // JSON shown by /configz
  k8s::Reservations reservations;             // what pods may not use (spec/k8s/node_allocatable.h)
  // Told after every step of a pod, from worker threads: cgroups of the classes of pods (spec/k8s/resources.h) and
  // their limits. Empty: nobody sets them.
  std::function<void(const std::map<std::string, k8s::CgroupLimits>&)> set_limits;
  std::optional<ImageGcPolicy> image_gc;           // nullopt: images are left alone
  std::optional<LogRotationOptions> log_rotation;  // nullopt: container logs grow
};

class Node {
 public:
  Node(NodeOptions options, cri::RuntimeApi& runtime);
  ~Node();  // stops
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Errors: the runtime does not answer Version, the HTTP port is taken, the folders below root_dir cannot be made,
  // more is reserved than the machine has.
  Result<void> Start();
  void Stop();

  uint16_t http_port() const;  // 0 without a server
  std::vector<PodSnapshot> Pods() const;
  std::vector<ManifestProblem> Problems() const;
  std::string Health() const;  // "" or what is wrong
  const PodSettings& settings() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::node
