// Serves a RuntimeApi as CRI v1 on a unix socket (mode 0660), for crictl, a kubelet, or any CRI client.
//
//   ASSIGN_OR_RETURN(auto server, cri::Serve(api, {.socket_path = "/run/portcullis/portcullis.sock"}));
//   ...
//   server->Stop();   // lets running calls end
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "cri/runtime_api.h"

namespace portcullis::cri {

struct ServeOptions {
  std::string socket_path;
  size_t idle_threads = 4;  // kept for the next calls
  size_t most_calls = 512;  // at once; more wait in a queue
};

class Server {
 public:
  virtual ~Server() = default;
  // No new calls; running ones get `grace` to end, then they are cancelled. Idempotent.
  virtual void Stop(std::chrono::milliseconds grace = std::chrono::seconds(5)) = 0;
};

// A socket left behind by a dead server is replaced; one that still answers is an error (kFailedPrecondition).
// `api` must outlive the server.
Result<std::unique_ptr<Server>> Serve(RuntimeApi& api, const ServeOptions& options);

}  // namespace portcullis::cri
