// AppArmor profiles that the host has loaded. This runtime loads none of its own.
#pragma once

#include <string>

#include "base/result.h"

namespace portcullis::runtime {

// kFailedPrecondition when AppArmor is off, or when no profile of that name is loaded: an OCI runtime would say no more
// than that a file of /proc cannot be written. `list` is the kernel's list of them ("name (enforce)"), but in tests.
Result<void> CheckAppArmorProfile(const std::string& name,
                                  const std::string& list = "/sys/kernel/security/apparmor/profiles");

}  // namespace portcullis::runtime
