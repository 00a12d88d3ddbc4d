#include "cli/output/states.h"

namespace portcullis::cli {

std::string StateWord(cri::ContainerState state) {
  switch (state) {
    case cri::ContainerState::kContainerCreated:
      return "Created";
    case cri::ContainerState::kContainerRunning:
      return "Running";
    case cri::ContainerState::kContainerExited:
      return "Exited";
    case cri::ContainerState::kContainerUnknown:
      break;
  }
  return "Unknown";
}

std::string StateWord(cri::PodSandboxState state) {
  return state == cri::PodSandboxState::kSandboxReady ? "Ready" : "NotReady";
}

}  // namespace portcullis::cli
