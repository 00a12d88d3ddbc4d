#include "cli/crictl/stream_client.h"

#include "base/strings.h"
#include "base/try.h"
#include "http/stream/spdy_streams.h"
#include "http/stream/websocket_channels.h"
#include "http/stream/websocket_handshake.h"
#include "http/stream/websocket_tunnel.h"
#include "http/upgrade_client.h"

namespace portcullis::cli {
namespace {

constexpr char kStdioProtocol[] = "v5.channel.k8s.io";
constexpr char kTunnelProtocol[] = "SPDY/3.1+portforward.k8s.io";

std::string Complete(const std::string& url) {
  if (url.starts_with("//")) return (url.starts_with("///") ? "http://localhost" + url.substr(2) : "http:" + url);
  if (url.starts_with("/")) return "http://localhost" + url;
  return url;
}

// As crictl has it: without files any server is taken.
http::TlsClientOptions TlsOf(const StreamOptions& options) {
  return {.ca_file = options.tls_ca,
          .cert_file = options.tls_cert,
          .key_file = options.tls_key,
          .server_name = options.tls_server_name,
          .insecure_skip_verify = options.tls_ca.empty() && options.tls_cert.empty()};
}

ClientConnection Connect(http::UpgradeAnswer answer, std::unique_ptr<http::Streams> streams) {
  ClientConnection connection;
  connection.wire =
      std::make_unique<http::Wire>(std::move(answer.connection.socket), std::move(answer.connection.received),
                                   std::move(streams), std::move(answer.connection.tls));
  return connection;
}

Result<ClientConnection> OpenSpdy(const std::string& url, const StreamOptions& options,
                                  const std::vector<std::string>& protocols) {
  http::UpgradeRequest request{
      .url = Complete(url), .headers = {{"Connection", "Upgrade"}, {"Upgrade", "SPDY/3.1"}}, .tls = TlsOf(options)};
  for (const std::string& protocol : protocols) request.headers.emplace_back("X-Stream-Protocol-Version", protocol);
  ASSIGN_OR_RETURN(http::UpgradeAnswer answer, http::RequestUpgrade(request));
  if (base::ToLower(answer.headers["upgrade"]) != "spdy/3.1")
    return Fail(Code::kFailedPrecondition, "the server upgrades to {}, not to SPDY/3.1",
                base::Quote(answer.headers["upgrade"]));
  auto streams = std::make_unique<http::SpdyStreams>(http::Side::kClient);
  http::SpdyStreams* spdy = streams.get();
  ClientConnection connection = Connect(std::move(answer), std::move(streams));
  connection.open = [spdy](const http::StreamHeaders& headers) { return spdy->Open(headers); };
  return connection;
}

Result<http::UpgradeAnswer> UpgradeToWebSocket(const std::string& url, const StreamOptions& options,
                                               const std::string& protocol) {
  const std::string key = http::MakeWebSocketKey();
  auto answer = http::RequestUpgrade({.url = Complete(url),
                                      .method = "GET",
                                      .headers = {{"Connection", "Upgrade"},
                                                  {"Upgrade", "websocket"},
                                                  {"Sec-WebSocket-Version", http::kWebSocketVersion},
                                                  {"Sec-WebSocket-Key", key},
                                                  {"Sec-WebSocket-Protocol", protocol}},
                                      .tls = TlsOf(options)});
  if (!answer && answer.error().code == Code::kFailedPrecondition) {
    return Wrap(std::move(answer).error(), "the server does not speak {} over WebSocket, --transport=spdy may do",
                protocol);
  }
  if (!answer) return Failure(std::move(answer).error());
  if (base::ToLower(answer->headers["upgrade"]) != "websocket" ||
      answer->headers["sec-websocket-accept"] != http::WebSocketAccept(key)) {
    return Fail(Code::kFailedPrecondition, "the server's WebSocket handshake is wrong: upgrade {}, accept {}",
                base::Quote(answer->headers["upgrade"]), base::Quote(answer->headers["sec-websocket-accept"]));
  }
  if (answer->headers["sec-websocket-protocol"] != protocol) {
    return Fail(Code::kFailedPrecondition, "the server agrees on {} over WebSocket, not on {}; --transport=spdy may do",
                base::Quote(answer->headers["sec-websocket-protocol"]), protocol);
  }
  return answer;
}

}  // namespace

Result<void> CheckStreamOptions(const StreamOptions& options) {
  if (options.transport != "spdy" && options.transport != "websocket")
    return Fail(Code::kInvalidArgument, "--transport={}: expected spdy or websocket", options.transport);
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return Fail(Code::kInvalidArgument, "--tls-cert and --tls-key are only of use together");
  }
  return {};
}

Result<ClientConnection> OpenStdio(const std::string& url, const StreamOptions& options) {
  TRY(CheckStreamOptions(options));
  if (options.transport == "spdy") {
    return OpenSpdy(url, options, {"v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"});
  }
  ASSIGN_OR_RETURN(http::UpgradeAnswer answer, UpgradeToWebSocket(url, options, kStdioProtocol));
  auto streams = std::make_unique<http::WebSocketChannels>(
      http::Side::kClient, http::ChannelProtocolOf(kStdioProtocol),
      std::vector<http::Channel>{{.headers = {{"streamtype", "stdin"}}, .sends = true},
                                 {.headers = {{"streamtype", "stdout"}}, .receives = true},
                                 {.headers = {{"streamtype", "stderr"}}, .receives = true},
                                 {.headers = {{"streamtype", "error"}}, .receives = true},
                                 {.headers = {{"streamtype", "resize"}}, .sends = true}});
  const http::WebSocketChannels* channels = streams.get();
  ClientConnection connection = Connect(std::move(answer), std::move(streams));
  connection.open = [channels](const http::StreamHeaders& headers) { return channels->Open(headers); };
  return connection;
}

Result<ClientConnection> OpenPortForward(const std::string& url, const StreamOptions& options) {
  TRY(CheckStreamOptions(options));
  if (options.transport == "spdy") return OpenSpdy(url, options, {"portforward.k8s.io"});
  ASSIGN_OR_RETURN(http::UpgradeAnswer answer, UpgradeToWebSocket(url, options, kTunnelProtocol));
  auto inner = std::make_unique<http::SpdyStreams>(http::Side::kClient);
  http::SpdyStreams* spdy = inner.get();
  ClientConnection connection =
      Connect(std::move(answer), std::make_unique<http::WebSocketTunnel>(http::Side::kClient, std::move(inner)));
  connection.open = [spdy](const http::StreamHeaders& headers) { return spdy->Open(headers); };
  return connection;
}

}  // namespace portcullis::cli
