// The address of a Unix socket by its path, for the two ends of moments.h. Private to this room.
#pragma once

#include <sys/un.h>

#include <cstring>
#include <string>

#include "base/result.h"

namespace portcullis::insight {

inline Result<sockaddr_un> SocketAddress(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Fail(Code::kInvalidArgument, "socket {}: the path is longer than {} bytes", path,
                sizeof(address.sun_path) - 1);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace portcullis::insight
