// The node's present SeccompDefault, as its /configz on loopback tells it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::cli {

// Asks http://ADDRESS:PORT/configz. ADDRESS is an IPv4 literal. kUnavailable when no node answers there.
Result<bool> ReadNodeSwitch(const std::string& address, uint16_t port, std::chrono::milliseconds timeout);

// `seccompDefault.enabled` of our node's configz, which counts the flag too; else `kubeletconfig.seccompDefault`, where
// absent is false, Kubernetes' default.
Result<bool> SwitchFromConfigz(std::string_view json);

}  // namespace portcullis::cli
