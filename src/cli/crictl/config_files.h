// Pod and container configurations from files (JSON or YAML, CRI field names), as runp, create and run take them.
#pragma once

#include <string>

#include "base/result.h"
#include "cri/types.h"

namespace portcullis::cli {

// A missing uid is made up; a missing name or namespace is an error.
Result<cri::PodSandboxConfig> LoadPodConfig(const std::string& path);

// Name and image must be there. `envs[].value` is plain text.
Result<cri::ContainerConfig> LoadContainerConfig(const std::string& path);

}  // namespace portcullis::cli
