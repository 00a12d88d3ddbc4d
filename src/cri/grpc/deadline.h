// How long the client waits for one call.
//
// A call that carries its own time gets it on top of the client's; one that may rightly take any time has no deadline:
// an ExecSync with timeout 0 ("no timeout" in CRI) and PullImage, which lasts as long as the network makes it.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "cri/types.h"

namespace portcullis::cri {

// More is never meant, and a sum of two such times and the present still fits any clock.
inline constexpr std::chrono::hours kLongestWait{24 * 365 * 10};

// Seconds as CRI writes them, from 0 to kLongestWait.
inline std::chrono::milliseconds ClampSeconds(int64_t seconds) {
  constexpr int64_t kMost = std::chrono::seconds(kLongestWait).count();
  return std::chrono::seconds(std::clamp<int64_t>(seconds, 0, kMost));
}

// The time that the request itself asks for; nullopt: without end.
inline std::optional<std::chrono::milliseconds> OwnTime(const StopContainerRequest& request) {
  return ClampSeconds(request.timeout);
}
inline std::optional<std::chrono::milliseconds> OwnTime(const ExecSyncRequest& request) {
  if (request.timeout <= 0) return std::nullopt;
  return ClampSeconds(request.timeout);
}
inline std::optional<std::chrono::milliseconds> OwnTime(const PullImageRequest&) { return std::nullopt; }
template <class Request>
std::optional<std::chrono::milliseconds> OwnTime(const Request&) {
  return std::chrono::milliseconds(0);
}

// From now until the call is given up; nullopt: never.
template <class Request>
std::optional<std::chrono::milliseconds> CallTime(const Request& request, std::chrono::milliseconds timeout) {
  const auto own = OwnTime(request);
  if (!own) return std::nullopt;
  return *own + std::clamp<std::chrono::milliseconds>(timeout, std::chrono::milliseconds(0), kLongestWait);
}

}  // namespace portcullis::cri
