// The next step of a pod, from what is wanted and what there is. Pure; kubernetes-seccomp.md 6.3 to 6.6.
//
//   Decision decision = Decide({.pod = &pod, .observed = observed, .memory = memory, .now = now});
//   carry out decision.actions in order, observe again, decide again; nothing to do: come back on an event or at
//   decision.check_at.
//
// Running containers whose definition is unchanged are left alone, whoever started them: that is all it takes to adopt
// pods after a restart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node/pod/memory.h"
#include "node/pod/observed.h"
#include "spec/k8s/pod.h"

namespace portcullis::node {

struct ContainerToStop {
  std::string id;
  std::string name;
};

// Stop these containers in parallel, then these sandboxes.
struct Kill {
  std::vector<ContainerToStop> containers;
  std::vector<std::string> sandbox_ids;
  int64_t grace_seconds = 30;
  std::string reason;  // for the log: "pod was removed", "sandbox changed", ...
};
struct CreateSandbox {
  uint32_t attempt = 0;
};
struct StartContainer {
  std::string name;
  std::string sandbox_id;
  int attempt = 0;
  int64_t last_finished_at = 0;  // of the run it follows; 0: nothing to back off from
  bool first = true;             // the runtime knows no earlier run
};
struct RemoveContainer {
  std::string id;
  std::string name;
  int attempt = 0;
};
struct RemoveSandbox {
  std::string id;
};
using Action = std::variant<Kill, CreateSandbox, StartContainer, RemoveContainer, RemoveSandbox>;

struct Decision {
  std::vector<Action> actions;
  std::optional<int64_t> check_at;  // look again then, even if nothing happens
  bool gone = false;                // terminating, and nothing of the pod is left in the runtime
};

struct DecideInput {
  const k8s::Pod* pod = nullptr;  // null: known from the runtime only, which means terminating
  bool terminating = false;
  const ObservedPod& observed;
  const PodMemory& memory;
  int64_t now = 0;
};
Decision Decide(const DecideInput& input);

// What a pod has come to when it will not run (again); kubernetes-seccomp.md 6.17.
enum class PodOutcome { kGoesOn, kSucceeded, kFailed, kDeadlineExceeded };
PodOutcome OutcomeOf(const k8s::Pod& pod, const ObservedPod& observed, int64_t now);

// The definition of a container that, when it changes, makes the node start it afresh: name and image. Eight hex
// digits.
std::string ContainerHash(const k8s::Container& container);

// Key of sandbox re-creation in PodMemory::restarts; no container has such a name.
inline constexpr const char* kSandboxBackOff = "/sandbox";

inline constexpr int64_t kMinGraceSeconds = 2;

}  // namespace portcullis::node
