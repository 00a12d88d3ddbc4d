// The two kinds of streaming sessions. Each runs in a thread of its own, in one poll loop, over whatever transport the
// wire has, until the client, the other end or the server's stop ends it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/stream/wire.h"
#include "runtime/streaming/peer.h"

namespace portcullis::runtime {

struct SessionLimits {
  std::chrono::milliseconds idle{std::chrono::hours(4)};         // nothing moves for so long: over
  std::chrono::milliseconds creation{std::chrono::seconds(30)};  // for the client to open its streams
  std::chrono::milliseconds farewell{std::chrono::seconds(10)};  // for the client to take the rest
  std::chrono::milliseconds blocked{std::chrono::seconds(30)};   // a connection that takes nothing, others waiting
};

// Exec and attach: streams named error, stdin, stdout, stderr, and resize with a terminal.
struct StdioRequest {
  bool tty = false;
  bool input = false;
  bool output = false;
  bool error = false;
  std::string attempted;             // "executing command in container", for error texts
  std::vector<std::string> command;  // of an exec
  // Called once the client's streams are there; with the terminal's size, if the client has told it by then.
  std::function<Result<std::unique_ptr<StdioPeer>>(std::optional<TerminalSize> size)> start;
};
void RunStdioSession(http::Wire& wire, const StdioRequest& request, bool json_status, const SessionLimits& limits,
                     int stop_fd);

// Port-forward: pairs of streams `data` and `error` with the same request id, one pair a connection.
struct ForwardRequest {
  std::string pod;                // for error texts
  std::string network_namespace;  // path; "" for the host's
  std::vector<uint16_t> ports;    // of transports that fix their streams beforehand
};
void RunForwardSession(http::Wire& wire, const ForwardRequest& request, const SessionLimits& limits, int stop_fd);

}  // namespace portcullis::runtime
