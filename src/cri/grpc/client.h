// RuntimeApi over a CRI socket: our own runtime in another process, containerd or CRI-O.
//
//   ASSIGN_OR_RETURN(auto api, cri::Connect({.endpoint = "unix:///run/containerd/containerd.sock"}));
//   ASSIGN_OR_RETURN(auto version, api->Version({}));
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "cri/runtime_api.h"

namespace portcullis::cri {

struct ConnectOptions {
  std::string endpoint;        // unix:///path, or a bare absolute path
  std::string image_endpoint;  // for ImageService; the runtime's when empty
  // Deadline of each call. Calls that carry their own time (StopContainer, ExecSync) get it on top; streams, PullImage
  // and an ExecSync without timeout have none (cri/grpc/deadline.h).
  std::chrono::milliseconds timeout{std::chrono::seconds(120)};
  std::chrono::milliseconds connect_timeout{std::chrono::seconds(2)};
};

// kUnavailable, naming the socket, when nobody answers there within connect_timeout.
Result<std::unique_ptr<RuntimeApi>> Connect(const ConnectOptions& options);

}  // namespace portcullis::cri
