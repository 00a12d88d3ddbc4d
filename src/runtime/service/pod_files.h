// The texts of /etc/resolv.conf, /etc/hosts and /etc/hostname of a pod. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cri/types.h"

namespace portcullis::runtime {

// Without servers, search domains and options the pod gets the host's file. A line break in a value is an error.
Result<std::string> ResolvConf(const std::optional<cri::DNSConfig>& dns, const std::string& host_text);

// Localhost names, then one line per address of the pod.
std::string HostsFile(const std::vector<std::string>& ips, const std::string& hostname);

// RFC 1123 as far as the kernel and resolvers care: 1 to 64 of letters, digits, '-' and '.'; "" is fine (none given).
Result<void> CheckHostname(const std::string& hostname);

}  // namespace portcullis::runtime
