// What the node's configuration says about running pods.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cri/runtime_api.h"
#include "spec/k8s/resources.h"

namespace portcullis::node {

// Delays of a series first, 2*first, 4*first ... up to max; forgotten after `reset` without trouble
// (kubernetes-seccomp.md 6.4).
struct BackOffSettings {
  std::chrono::nanoseconds first{std::chrono::seconds(10)};
  std::chrono::nanoseconds max{std::chrono::seconds(300)};
  std::chrono::nanoseconds reset{std::chrono::seconds(600)};
};

struct PodSettings {
  std::string node_name;  // lower-case
  std::string host_ip;    // "" when unknown
  std::string root_dir = "/var/lib/kubelet";
  std::string pod_logs_dir = "/var/log/pods";
  std::string container_log_links_dir = "/var/log/containers";  // "": no links
  bool seccomp_default = false;

  k8s::CgroupDriver cgroup_driver = k8s::CgroupDriver::kCgroupfs;
  std::string cgroup_root = "/";
  bool cgroup_v2 = false;  // memory.oom.group is then asked for
  bool cpu_cfs_quota = true;
  bool cgroups_per_qos = true;  // false: no cgroups of classes and pods; the runtime's own parent for all
  int64_t memory_capacity = 0;  // bytes; for oom_score_adj
  int64_t cpu_capacity_milli = 0;
  // Capacity less what is reserved: a container's limit by resourceFieldRef where it has none.
  int64_t memory_allocatable = 0;
  int64_t cpu_allocatable_milli = 0;

  std::vector<std::string> cluster_dns;
  std::string cluster_domain;
  std::string resolv_conf = "/etc/resolv.conf";  // the node's, read at each sandbox creation; "": empty

  std::string runtime_name = "portcullis";  // prefix of container ids in the status, as the runtime's Version names it

  std::chrono::milliseconds relist_period{std::chrono::seconds(1)};
  std::chrono::milliseconds retry_delay{
      std::chrono::seconds(10)};  // after a failed step; up to half of it more as jitter
  BackOffSettings restart_back_off;
  BackOffSettings pull_back_off;
  // The node's login for an image, sent along with its pull; empty, or answering nullopt: the runtime's own counts.
  std::function<std::optional<cri::AuthConfig>(const std::string& image)> login_of_image;
  int parallel_image_pulls = 1;  // at a time; 0: no limit
  size_t workers = 16;           // threads to begin with; pods that wait for one get more
};

}  // namespace portcullis::node
