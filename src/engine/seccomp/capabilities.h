// Linux capabilities by name and number, and the sets that runtimes give by default: what the conditions of a profile's
// rules are about.
//
//   CapabilityNames()[21]      -> "CAP_SYS_ADMIN"
//   CapabilitiesOfMask(0x401)  -> {"CAP_CHOWN", "CAP_NET_BIND_SERVICE"}
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::seccomp {

// Every capability of Linux 7.2, by number (include/uapi/linux/capability.h).
std::span<const std::string_view> CapabilityNames();

// Bits as in /proc/<pid>/status (CapPrm: 000001ffffffffff) to names, in number order. Unknown bits are skipped.
std::vector<std::string> CapabilitiesOfMask(uint64_t mask);

// Docker's 14 (containerd's CRI has the same) and CRI-O's 9, in their order.
std::vector<std::string> DockerDefaultCapabilities();
std::vector<std::string> CriODefaultCapabilities();

}  // namespace portcullis::seccomp
