// What the node remembers about a pod between two steps; lost on a restart of the node, as the kubelet's is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "node/pod/back_off.h"

namespace portcullis::node {

// A step that failed and is tried again at `retry_at`.
struct Fault {
  std::string reason;  // Kubernetes' waiting reason: ErrImagePull, CreateContainerError, ...
  std::string message;
  int64_t since = 0;
  int64_t retry_at = 0;

  bool Waits(int64_t now) const { return MustWait(since, retry_at, now); }
};

struct FailedPull {
  std::string reason;  // ErrImagePull
  std::string message;
  int64_t at = 0;
};

struct PullMemory {
  BackOff back_off;
  std::map<std::string, FailedPull> failed;  // both by image, with its tag
};

struct PodMemory {
  BackOff restarts;  // by container name
  PullMemory pulls;
  std::map<std::string, Fault> container_faults;  // by container name
  std::optional<Fault> pod_fault;                 // volumes, sandbox, termination
};

}  // namespace portcullis::node
