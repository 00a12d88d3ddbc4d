// All pods of the node: a serial worker per pod on a bounded pool, driven by the source, the runtime and the clock.
//
//   PodManager manager(settings, runtime);
//   manager.Start();
//   manager.SetDesired({pod_a, pod_b});     // whole desired state; again whenever it changes
//   for (const PodSnapshot& s : manager.Pods()) ...
//   manager.Stop();                         // pods run on
//
// Pods that this node made earlier (sandbox annotation io.portcullis.node) and that are not desired are ended, but only
// after the first complete SetDesired. A pod whose manifest changed has another UID: the old one is ended before the
// new one with the same name starts.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cri/runtime_api.h"
#include "node/pod/settings.h"
#include "spec/k8s/pod.h"
#include "spec/k8s/pod_status.h"
#include "spec/k8s/seccomp_profile.h"

namespace portcullis::node {

struct PodSnapshot {
  std::shared_ptr<const k8s::Pod> pod;
  k8s::PodStatus status;
  bool terminating = false;
};

struct ManagerEvents {                                                  // called from worker threads
  std::function<void(std::chrono::nanoseconds)> on_sync = [](auto) {};  // how long one run of a pod's worker took
  std::function<void()> on_restart = [] {};                             // a container is started again
};

class PodManager {
 public:
  PodManager(PodSettings settings, cri::RuntimeApi& runtime, ManagerEvents events = {});
  ~PodManager();  // stops
  PodManager(const PodManager&) = delete;
  PodManager& operator=(const PodManager&) = delete;

  void Start();
  // Lets running steps end and starts no new ones. Pods are left as they are.
  void Stop();

  // Not `complete`: some source of pods has not reported yet. These pods run; none that the runtime has besides ends.
  void SetDesired(std::vector<std::shared_ptr<const k8s::Pod>> pods, bool complete = true);
  std::vector<PodSnapshot> Pods()
      const;  // by namespace and name; pods whose manifest is gone while they end are included
  // The runtime answered the last listing, and listings are on time: "" or what is wrong.
  std::string Health() const;
  const PodSettings& settings() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::node
