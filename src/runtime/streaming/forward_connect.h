// A connection to a port of a pod: from inside its network namespace, on 127.0.0.1, else on ::1.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::runtime {

// Does not wait: the connection may still be on its way, poll for POLLOUT and ask ConnectOutcome.
// `network_namespace` is a path, "" for the caller's own.
Result<base::UniqueFd> BeginConnect(const std::string& network_namespace, int family, uint16_t port);

// 0, or the errno.
int ConnectOutcome(int socket);

}  // namespace portcullis::runtime
