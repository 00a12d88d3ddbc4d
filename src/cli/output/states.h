// The words that tables use for CRI's states.
#pragma once

#include <string>

#include "cri/types.h"

namespace portcullis::cli {

std::string StateWord(cri::ContainerState state);   // "Created", "Running", "Exited", "Unknown"
std::string StateWord(cri::PodSandboxState state);  // "Ready", "NotReady"

}  // namespace portcullis::cli
