// One pod's worker: observes, decides, acts, until there is nothing to do at present. Its steps are serial; many
// workers share the pool.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "node/pod/decide.h"
#include "node/pod/manager.h"
#include "node/pod/memory.h"
#include "node/pod/network_gate.h"
#include "node/pod/observer.h"
#include "node/pod/runner.h"

namespace portcullis::node {

struct WorkerContext {
  cri::RuntimeApi& runtime;
  ImageManager& images;
  NetworkGate& network;
  const PodSettings& settings;
  const ManagerEvents& events;
  const std::atomic<bool>& stopping;
};

class PodWorker {
 public:
  // `pod` null: an orphan, of which only the runtime knows; it is ended.
  PodWorker(const WorkerContext& context, PodIdentity identity, std::shared_ptr<const k8s::Pod> pod);

  // The three below may be called from any thread, at any time.
  void SetPod(std::shared_ptr<const k8s::Pod> pod);
  void Terminate();
  std::optional<PodSnapshot> Snapshot() const;  // nullopt for orphans
  bool terminating() const { return terminating_; }

  struct Progress {
    std::optional<int64_t> check_at;  // Unix nanoseconds
    bool gone = false;                // ended, and nothing of it is left
  };
  // One thread at a time.
  Progress Sync();

  const PodIdentity& identity() const { return identity_; }

 private:
  Progress Step(bool& again);
  // Whether the decision has to wait for the runtime's network. It is told as a fault of the pod.
  bool WaitsForNetwork(const k8s::Pod& pod, const Decision& decision);
  // False: the rest of the decision is stale or pointless now.
  bool Carry(const k8s::Pod* pod, const ObservedPod& observed, const Action& action);
  bool CarryStart(const k8s::Pod& pod, const ObservedPod& observed, const StartContainer& action);
  bool PodStep(const std::string& what, Result<void> result);
  void Publish(const k8s::Pod& pod, const ObservedPod& observed);
  std::shared_ptr<const k8s::Pod> pod() const;
  int64_t RetryTime() const;
  std::optional<int64_t> NextStatusChange() const;

  WorkerContext context_;
  const PodIdentity identity_;
  PodObserver observer_;
  ActionRunner runner_;
  PodMemory memory_;
  int64_t start_time_;
  std::atomic<bool> terminating_;
  bool seen_terminating_ = false;  // by Step

  mutable std::mutex mutex_;  // of the two below
  std::shared_ptr<const k8s::Pod> pod_;
  k8s::PodStatus status_;
};

}  // namespace portcullis::node
