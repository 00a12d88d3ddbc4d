// Asks the runtime about this node's pods.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "cri/runtime_api.h"
#include "node/pod/observed.h"
#include "node/pod/settings.h"

namespace portcullis::node {

// What a listing tells about one pod; equal `state` texts mean that nothing happened to it.
struct ListedPod {
  std::string name;
  std::string namespace_;
  std::string state;
};
// A sandbox that this node did not make, and so leaves alone.
struct ForeignSandbox {
  std::string id;
  std::string pod;   // namespace/name as its maker put it
  std::string node;  // whose it is; "": it does not say
};
struct Listing {
  std::map<std::string, ListedPod> own;  // the pods that a node of this name made, by UID
  std::vector<ForeignSandbox> foreign;
};
// Two calls, whatever the number of pods.
Result<Listing> ListPods(cri::RuntimeApi& runtime, const std::string& node_name);

// One pod in detail. Remembers what cannot change (an exited container's status), so that looking again is cheap. One
// thread at a time.
class PodObserver {
 public:
  PodObserver(cri::RuntimeApi& runtime, const PodSettings& settings, std::string uid);
  Result<ObservedPod> Observe();

 private:
  Result<void> AddSandboxes(ObservedPod& pod);
  Result<void> AddContainers(ObservedPod& pod);

  cri::RuntimeApi& runtime_;
  const PodSettings& settings_;
  const std::string uid_;
  std::map<std::string, ObservedSandbox> sandboxes_;
  std::map<std::string, ObservedContainer> containers_;  // running or exited, by id
};

}  // namespace portcullis::node
