// What the runtime says about one pod: its sandboxes and containers. All times are Unix nanoseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cri/types.h"
#include "spec/k8s/pod_status.h"

namespace portcullis::node {

struct ObservedSandbox {
  std::string id;
  uint32_t attempt = 0;
  bool ready = false;
  bool host_network = false;
  int64_t created_at = 0;
  std::vector<std::string> ips;
};

struct ObservedContainer {
  std::string id;
  std::string name;
  std::string sandbox_id;
  cri::ContainerState state = cri::ContainerState::kContainerUnknown;
  int attempt = 0;  // Kubernetes' restart count
  int64_t created_at = 0;
  int64_t started_at = 0;
  int64_t finished_at = 0;
  int exit_code = 0;
  std::string reason;   // the runtime's: Completed, Error, OOMKilled, StartError
  std::string message;  // termination message, or the runtime's
  std::string image;
  std::string image_ref;
  std::string hash;  // of the definition it was made from (annotation)
  std::optional<k8s::ContainerUser> user;

  bool running() const { return state == cri::ContainerState::kContainerRunning; }
  bool exited() const { return state == cri::ContainerState::kContainerExited; }
};

struct ObservedPod {
  std::string uid;
  std::string name;
  std::string namespace_;
  std::vector<ObservedSandbox> sandboxes;     // newest first
  std::vector<ObservedContainer> containers;  // newest first
  // As recorded on the containers or the sandbox when they were made; for pods that have no manifest any more.
  std::optional<int64_t> grace_seconds;

  bool empty() const { return sandboxes.empty() && containers.empty(); }
  // The newest container of that name; only of one sandbox when `sandbox_id` is given.
  const ObservedContainer* Newest(const std::string& name, const std::string& sandbox_id = "") const;
  const ObservedSandbox* ReadySandbox() const;  // the newest ready one
};

}  // namespace portcullis::node
