// Carries out one Action of a Decision: CRI calls, folders, logs.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cri/runtime_api.h"
#include "node/pod/decide.h"
#include "node/pod/images.h"
#include "node/pod/observed.h"
#include "node/pod/settings.h"
#include "spec/k8s/pod.h"

namespace portcullis::node {

// Whose files and logs are meant; also for pods whose manifest is gone.
struct PodIdentity {
  std::string uid;
  std::string name;
  std::string namespace_;
};

class ActionRunner {
 public:
  ActionRunner(cri::RuntimeApi& runtime, ImageManager& images, const PodSettings& settings);

  // Volumes, then the sandbox. An error if it comes up without an IP address although it should have one.
  Result<void> Create(const k8s::Pod& pod, const CreateSandbox& action);
  // Blocks for as long as the containers take to stop.
  Result<void> Stop(const Kill& action);
  // nullopt: it runs.
  std::optional<StepFailure> Start(const k8s::Pod& pod, const StartContainer& action, const ObservedSandbox& sandbox,
                                   PullMemory& pulls);
  Result<void> Remove(const PodIdentity& pod, const RemoveContainer& action);
  Result<void> Remove(const RemoveSandbox& action);
  // Everything of the pod outside the runtime: folder, volumes, logs, links.
  Result<void> CleanUp(const PodIdentity& pod);

 private:
  cri::PodSandboxConfig SandboxConfig(const k8s::Pod& pod, uint32_t attempt);
  std::optional<StepFailure> Configure(const k8s::Pod& pod, const k8s::Container& container,
                                       const ObservedSandbox& sandbox, ContainerInputs& inputs);

  cri::RuntimeApi& runtime_;
  ImageManager& images_;
  const PodSettings& settings_;
};

}  // namespace portcullis::node
