// A pod's /dev/shm: a tmpfs that its containers share.
#pragma once

#include <string>

#include "base/result.h"

namespace portcullis::runtime {

Result<void> MountShm(const std::string& path);    // 64 MiB, as Docker and containerd have it
Result<void> UnmountShm(const std::string& path);  // and removes the folder; absent is fine

}  // namespace portcullis::runtime
