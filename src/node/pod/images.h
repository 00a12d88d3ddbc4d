// Gets a container's image by its pull policy, as the kubelet's image manager does (kubernetes-seccomp.md 6.10).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "cri/runtime_api.h"
#include "node/pod/cri_config.h"
#include "node/pod/memory.h"
#include "node/pod/pull_slots.h"
#include "node/pod/settings.h"
#include "spec/k8s/pod.h"

namespace portcullis::node {

// A step of a container start that failed: Kubernetes' waiting reason and message.
struct StepFailure {
  // ErrImagePull, ImagePullBackOff, ErrImageNeverPull, ImageInspectError, InvalidImageName, CreateContainerError, ...
  std::string reason;
  std::string message;
  std::optional<int64_t> retry_at = std::nullopt;  // sooner than other failures, when given
};

class ImageManager {
 public:
  // Both must outlive it.
  ImageManager(cri::RuntimeApi& runtime, const PodSettings& settings);

  // Policy Always asks the registry at each start of a container, and fails when it cannot, even if the image is here.
  // An image that could not be pulled is not tried again before its delay is over (ImagePullBackOff), for none of the
  // pod's containers, but starts them as soon as it is here otherwise.
  std::variant<ImageFacts, StepFailure> Ensure(const k8s::Container& container, const cri::PodSandboxConfig& sandbox,
                                               PullMemory& memory);

 private:
  cri::RuntimeApi& runtime_;
  const PodSettings& settings_;
  PullSlots slots_;
};

// ErrImagePull, or one of the reasons that CRI-O gives in its error's first word.
bool IsPullFailure(const std::string& reason);
// "Back-off pulling image "nginx": ErrImagePull: <message>"
std::string BackOffMessage(const std::string& image, const std::string& reason, const std::string& message);

// "nginx" -> "nginx:latest"; a tag or digest stays.
std::string WithDefaultTag(const std::string& image);

}  // namespace portcullis::node
