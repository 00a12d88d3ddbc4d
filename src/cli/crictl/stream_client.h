// Opens the streams behind a URL of Exec, Attach or PortForward.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/stream/wire.h"

namespace portcullis::cli {

// kInvalidArgument for anything but "spdy".
Result<void> CheckTransport(const std::string& transport);

struct ClientConnection {
  std::unique_ptr<http::Wire> wire;
  std::function<http::StreamId(const http::StreamHeaders&)> open;  // by the header streamtype
};

// A URL without host is the runtime's on this machine.
Result<ClientConnection> OpenStdio(const std::string& url, const std::string& transport);
Result<ClientConnection> OpenPortForward(const std::string& url, const std::string& transport);

}  // namespace portcullis::cli
