// Serves a RuntimeApi as CRI v1 on a unix socket (mode 0660), for crictl, a kubelet, or any CRI client.
//
//   ASSIGN_OR_RETURN(auto server, cri::Serve(api, {.socket_path = "/run/portcullis/portcullis.sock"}));
//   ...
//   server->Stop();   // lets running calls end
//
// Calls that may last (cri/grpc/long_calls.h) have threads of their own: however many an ExecSync or a slow
// StopContainer holds, Version, Status and listings answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "cri/runtime_api.h"

namespace portcullis::cri {

struct ServeOptions {
  std::string socket_path;
  size_t most_long_calls = 256;  // at once; the next ones fail with kResourceExhausted
};

inline constexpr std::chrono::seconds kDefaultGrace{10};

class Server {
 public:
  // Stops, then waits for every thread to leave the api.
  virtual ~Server() = default;
  // No new calls; running ones get `grace` to end, then they end for their clients with kUnavailable. Returns soon
  // after `grace` in any case: false when a thread is still inside the api, which then must not be destroyed.
  // Idempotent.
  [[nodiscard]] virtual bool Stop(std::chrono::milliseconds grace = kDefaultGrace) = 0;
};

// A socket left behind by a dead server is replaced; one that still answers is an error (kFailedPrecondition).
// `api` must outlive the server.
Result<std::unique_ptr<Server>> Serve(RuntimeApi& api, const ServeOptions& options);

}  // namespace portcullis::cri
