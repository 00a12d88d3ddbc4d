// Pods with a network of their own wait while the runtime says that it has none to give; those on the node's network do
// not. Asked when a pod is about to start something, so that a quiet node asks nothing.
//
//   NetworkGate gate(runtime);
//   gate.WhyClosed() == "network is not ready: container runtime network not ready: NetworkReady=false reason:..."
//
// Texts are the kubelet's (pkg/kubelet/kubelet.go, syncPod; runtime.go, networkErrors).
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "cri/runtime_api.h"

namespace portcullis::node {

class NetworkGate {
 public:
  explicit NetworkGate(cri::RuntimeApi& runtime) : runtime_(runtime) {}

  // "" when pods may start, also when the runtime does not say. Thread-safe; the runtime is asked once a second at
  // most.
  std::string WhyClosed();

 private:
  cri::RuntimeApi& runtime_;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> asked_;
  std::string why_;
};

// From the runtime's conditions: what is wrong with its network, or "".
std::string NetworkProblem(const cri::StatusResponse& response);

}  // namespace portcullis::node
