// Which calls may last: they wait for a program, a grace period, a disk or a network. Each has a thread of its own, so
// that the others always answer at once.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace portcullis::cri {

inline constexpr std::array<std::string_view, 11> kLongCalls = {
    "ExecSync",        "StopContainer",  "StopPodSandbox", "RemoveContainer", "RemovePodSandbox",    "RunPodSandbox",
    "CreateContainer", "StartContainer", "PullImage",      "RemoveImage",     "CheckpointContainer",
};

constexpr bool IsLong(std::string_view method) {
  return std::find(kLongCalls.begin(), kLongCalls.end(), method) != kLongCalls.end();
}

// Every name above is a unary method.
#define CRI_METHOD(service, method, request, response) +(IsLong(#method) ? 1u : 0u)
#define CRI_METHOD_STREAM(service, method, request, response)
static_assert(kLongCalls.size() == 0u
#include "cri/grpc/methods.inc"
);
#undef CRI_METHOD
#undef CRI_METHOD_STREAM

}  // namespace portcullis::cri
