// Kinds of calls, each with threads of its own, so that one that does not come back never makes another kind wait.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace portcullis::cri {

enum class CallKind {
  kShort,    // answered from memory, at once
  kLong,     // changes something: waits for a program, a grace period, a pod's other calls, a disk or a network
  kLooking,  // asks a program how it is, or walks what a container may have filled: clients repeat these every few
             // seconds
};

inline constexpr std::array<std::string_view, 14> kLongCalls = {
    "ExecSync",      "StopContainer",       "StopPodSandbox",     "RemoveContainer",          "RemovePodSandbox",
    "RunPodSandbox", "CreateContainer",     "StartContainer",     "UpdateContainerResources", "PullImage",
    "RemoveImage",   "CheckpointContainer", "ReopenContainerLog", "UpdateRuntimeConfig",
};

inline constexpr std::array<std::string_view, 7> kLookingCalls = {
    "Status",      "ContainerStats",       "ListContainerStats", "PodSandboxStats", "ListPodSandboxStats",
    "ImageFsInfo", "ListPodSandboxMetrics"};

constexpr CallKind KindOf(std::string_view method) {
  const auto is_in = [method](const auto& names) {
    return std::find(names.begin(), names.end(), method) != names.end();
  };
  if (is_in(kLongCalls)) return CallKind::kLong;
  return is_in(kLookingCalls) ? CallKind::kLooking : CallKind::kShort;
}

// Every name above is a unary method.
#define CRI_METHOD(service, method, request, response) +(KindOf(#method) == CallKind::kShort ? 0u : 1u)
#define CRI_METHOD_STREAM(service, method, request, response)
static_assert(kLongCalls.size() + kLookingCalls.size() == 0u
#include "cri/grpc/methods.inc"
);
#undef CRI_METHOD
#undef CRI_METHOD_STREAM

}  // namespace portcullis::cri
