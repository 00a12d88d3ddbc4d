// PodStatus: what the node reports about a pod, and a pod with its status as Kubernetes' JSON (/pods, a v1 PodList).
//
//   PodStatus status{.phase = "Running", .pod_ips = {"10.88.0.5"}};
//   status.container_statuses.push_back({.name = "c", .state = StateRunning{started_at_nanos}, .ready = true, ...});
//   nlohmann::json list = PodListToJson({{&pod, &status}});
//
// Times are Unix nanoseconds and are shown to the second, as metav1.Time is.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "spec/k8s/pod.h"

namespace portcullis::k8s {

struct StateWaiting {
  std::string reason;  // ContainerCreating, PodInitializing, CrashLoopBackOff, CreateContainerError, ErrImagePull, ...
  std::string message;
};
struct StateRunning {
  int64_t started_at = 0;
};
struct StateTerminated {
  int exit_code = 0;
  int signal = 0;
  std::string reason;  // Completed, Error, OOMKilled, ...
  std::string message;
  int64_t started_at = 0;
  int64_t finished_at = 0;
  std::string container_id;  // "portcullis://<id>"
};
// monostate: nothing known, shown as {}.
using ContainerState = std::variant<std::monostate, StateWaiting, StateRunning, StateTerminated>;

struct ContainerUser {
  int64_t uid = 0;
  int64_t gid = 0;
  std::vector<int64_t> supplemental_groups;
};

struct ContainerStatus {
  std::string name;
  ContainerState state;
  ContainerState last_state;
  bool ready = false;
  int restart_count = 0;
  std::string image;
  std::string image_id;
  std::string container_id;  // "portcullis://<id>"; "" before the first creation
  std::optional<bool> started;
  std::optional<ContainerUser> user;
};

struct PodCondition {
  std::string type;  // PodReadyToStartContainers, Initialized, Ready, ContainersReady, PodScheduled
  bool status = false;
  std::string reason;
  std::string message;
  int64_t last_transition_time = 0;
};

struct PodStatus {
  std::string phase = "Pending";  // Pending, Running, Succeeded, Failed, Unknown
  std::vector<PodCondition> conditions;
  std::string reason;
  std::string message;
  std::string host_ip;
  std::vector<std::string> pod_ips;  // the first is podIP
  std::optional<int64_t> start_time;
  std::vector<ContainerStatus> init_container_statuses;
  std::vector<ContainerStatus> container_statuses;
};

nlohmann::json PodStatusToJson(const Pod& pod, const PodStatus& status);  // qosClass comes from the pod
nlohmann::json PodToJson(const Pod& pod, const PodStatus& status);        // {"metadata", "spec", "status"}
nlohmann::json PodListToJson(const std::vector<std::pair<const Pod*, const PodStatus*>>& pods);

// Phase of a pod from the states of its containers (section 6.17): init failure that is not retried -> Failed, ...
std::string PodPhase(const PodSpec& spec, std::span<const ContainerStatus> init_containers,
                     std::span<const ContainerStatus> containers);

}  // namespace portcullis::k8s
