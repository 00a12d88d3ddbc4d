// Opens the streams behind a URL of Exec, Attach or PortForward.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/crictl/options.h"
#include "http/stream/wire.h"

namespace portcullis::cli {

// kInvalidArgument: another transport than spdy and websocket; a certificate without its key, or the other way round.
Result<void> CheckStreamOptions(const StreamOptions& options);

struct ClientConnection {
  std::unique_ptr<http::Wire> wire;
  std::function<http::StreamId(const http::StreamHeaders&)> open;  // by the header streamtype
};

// A URL without host is the runtime's on this machine. As the real crictl does, over WebSocket exec and attach ask for
// v5.channel.k8s.io and port-forward for SPDY inside (SPDY/3.1+portforward.k8s.io). Errors besides those above: those
// of http::RequestUpgrade; kFailedPrecondition when the server agrees on another protocol.
Result<ClientConnection> OpenStdio(const std::string& url, const StreamOptions& options);
Result<ClientConnection> OpenPortForward(const std::string& url, const StreamOptions& options);

}  // namespace portcullis::cli
