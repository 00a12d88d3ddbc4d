#include "cli/crictl/stream_client.h"

#include "base/strings.h"
#include "base/try.h"
#include "http/stream/spdy_streams.h"
#include "http/upgrade_client.h"

namespace portcullis::cli {
namespace {

std::string Complete(const std::string& url) {
  if (url.starts_with("//")) return (url.starts_with("///") ? "http://localhost" + url.substr(2) : "http:" + url);
  if (url.starts_with("/")) return "http://localhost" + url;
  return url;
}

Result<ClientConnection> OpenSpdy(const std::string& url, const std::vector<std::string>& protocols) {
  http::UpgradeRequest request{.url = Complete(url), .headers = {{"Connection", "Upgrade"}, {"Upgrade", "SPDY/3.1"}}};
  for (const std::string& protocol : protocols) request.headers.emplace_back("X-Stream-Protocol-Version", protocol);
  ASSIGN_OR_RETURN(http::UpgradeAnswer answer, http::RequestUpgrade(request));
  if (base::ToLower(answer.headers["upgrade"]) != "spdy/3.1")
    return Fail(Code::kFailedPrecondition, "the server upgrades to {}, not to SPDY/3.1",
                base::Quote(answer.headers["upgrade"]));
  auto streams = std::make_unique<http::SpdyStreams>(http::Side::kClient);
  http::SpdyStreams* spdy = streams.get();
  ClientConnection connection;
  connection.wire = std::make_unique<http::Wire>(std::move(answer.connection.socket),
                                                 std::move(answer.connection.received), std::move(streams));
  connection.open = [spdy](const http::StreamHeaders& headers) { return spdy->Open(headers); };
  return connection;
}

}  // namespace

Result<void> CheckTransport(const std::string& transport) {
  if (transport == "spdy") return {};
  return Fail(Code::kInvalidArgument, "--transport={}: expected spdy", transport);
}

Result<ClientConnection> OpenStdio(const std::string& url, const std::string& transport) {
  TRY(CheckTransport(transport));
  return OpenSpdy(url, {"v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"});
}

Result<ClientConnection> OpenPortForward(const std::string& url, const std::string& transport) {
  TRY(CheckTransport(transport));
  return OpenSpdy(url, {"portforward.k8s.io"});
}

}  // namespace portcullis::cli
