// Gets a container's image by its pull policy (kubernetes-seccomp.md 6.10).
#pragma once

#include <mutex>
#include <string>
#include <variant>

#include "cri/runtime_api.h"
#include "node/pod/cri_config.h"
#include "node/pod/settings.h"
#include "spec/k8s/pod.h"

namespace portcullis::node {

// A step of a container start that failed: Kubernetes' waiting reason and message.
struct StepFailure {
  std::string
      reason;  // ErrImagePull, ErrImageNeverPull, ImageInspectError, InvalidImageName, CreateContainerError, ...
  std::string message;
};

class ImageManager {
 public:
  ImageManager(cri::RuntimeApi& runtime, const PodSettings& settings);

  // Policy Always: an image that is here is used, with a warning, when it cannot be pulled (a node without a registry
  // must still start).
  std::variant<ImageFacts, StepFailure> Ensure(const k8s::Container& container, const cri::PodSandboxConfig& sandbox);

 private:
  cri::RuntimeApi& runtime_;
  const bool serialize_;
  std::mutex pulling_;
};

// "nginx" -> "nginx:latest"; a tag or digest stays.
std::string WithDefaultTag(const std::string& image);

}  // namespace portcullis::node
