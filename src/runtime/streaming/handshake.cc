#include "runtime/streaming/handshake.h"

#include <algorithm>

#include "base/strings.h"
#include "http/stream/websocket_handshake.h"

namespace portcullis::runtime {
namespace {

constexpr char kSpdy[] = "SPDY/3.1";
constexpr char kWebSocket[] = "websocket";
constexpr std::string_view kTunnelPrefix = "SPDY/3.1+";

std::string HeaderOf(const http::Request& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string() : found->second;
}

std::vector<std::string> ListOf(const std::string& header) {
  std::vector<std::string> items;
  for (const std::string& item : base::Split(header, ',')) {
    if (const auto trimmed = base::Trim(item); !trimmed.empty()) items.emplace_back(trimmed);
  }
  return items;
}

bool Names(const std::string& header, const std::string& wanted) {
  const auto items = ListOf(header);
  return std::any_of(items.begin(), items.end(),
                     [&](const std::string& item) { return base::ToLower(item) == base::ToLower(wanted); });
}

http::Response Refuse(int status, std::string text) { return {.status = status, .body = std::move(text) + "\n"}; }

std::variant<http::Response, Agreed> NegotiateSpdy(const http::Request& request, StreamingKind kind) {
  static const std::vector<std::string> kStdio = {"v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io",
                                                  "channel.k8s.io"};
  static const std::vector<std::string> kForward = {"portforward.k8s.io"};
  const auto& ours = kind == StreamingKind::kPortForward ? kForward : kStdio;
  const auto theirs = ListOf(HeaderOf(request, "x-stream-protocol-version"));
  if (theirs.empty()) return Refuse(400, "unable to upgrade: X-Stream-Protocol-Version is required");
  for (const std::string& protocol : theirs) {
    if (std::find(ours.begin(), ours.end(), protocol) == ours.end()) continue;
    return Agreed{.transport = Transport::kSpdy,
                  .protocol = protocol,
                  .headers = {{"Upgrade", kSpdy}, {"X-Stream-Protocol-Version", protocol}}};
  }
  auto refusal = Refuse(403, fmt::format("unable to upgrade: unable to negotiate protocol: client supports [{}], "
                                         "server accepts [{}]",
                                         base::Join(theirs, " "), base::Join(ours, " ")));
  for (const std::string& protocol : ours) {
    refusal.headers.emplace_back("X-Accepted-Stream-Protocol-Versions", protocol);
  }
  return refusal;
}

// What Kubernetes' server takes of a client, and v5, which clients since 1.30 ask for. Port-forward: channels in pairs,
// one for each port that the request named, or SPDY inside (KEP-4006).
const std::vector<std::string>& WebSocketProtocols(StreamingKind kind) {
  static const std::vector<std::string> kStdio = {"v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io",
                                                  "channel.k8s.io", "base64.channel.k8s.io"};
  static const std::vector<std::string> kForward = {"SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io",
                                                    "v4.base64.channel.k8s.io", "portforward.k8s.io"};
  return kind == StreamingKind::kPortForward ? kForward : kStdio;
}

Agreed AgreeOnWebSocket(const std::string& protocol, const std::string& key) {
  const bool tunnel = protocol.starts_with(kTunnelPrefix);
  Agreed agreed{.transport = tunnel ? Transport::kTunnel : Transport::kChannels,
                .protocol = tunnel ? protocol.substr(kTunnelPrefix.size()) : protocol,
                .headers = {{"Upgrade", kWebSocket}, {"Sec-WebSocket-Accept", http::WebSocketAccept(key)}}};
  if (!protocol.empty()) agreed.headers.emplace_back("Sec-WebSocket-Protocol", protocol);
  return agreed;
}

std::variant<http::Response, Agreed> NegotiateWebSocket(const http::Request& request, StreamingKind kind) {
  if (request.method != "GET") return Refuse(405, "websocket: bad method");
  const std::string key(base::Trim(HeaderOf(request, "sec-websocket-key")));
  if (!http::IsWebSocketKey(key)) return Refuse(400, "websocket: Sec-WebSocket-Key is not sixteen bytes of base64");
  if (base::Trim(HeaderOf(request, "sec-websocket-version")) != http::kWebSocketVersion) {
    auto refusal = Refuse(426, "websocket: missing or bad Sec-WebSocket-Version");
    refusal.headers = {{"Sec-WebSocket-Version", http::kWebSocketVersion}, {"Upgrade", kWebSocket}};
    return refusal;
  }
  const auto& ours = WebSocketProtocols(kind);
  const auto theirs = ListOf(HeaderOf(request, "sec-websocket-protocol"));
  if (theirs.empty()) return AgreeOnWebSocket("", key);
  for (const std::string& protocol : theirs) {
    if (std::find(ours.begin(), ours.end(), protocol) != ours.end()) return AgreeOnWebSocket(protocol, key);
  }
  return Refuse(403, fmt::format("requested protocol(s) are not supported: [{}]; supports [{}]",
                                 base::Join(theirs, " "), base::Join(ours, " ")));
}

}  // namespace

bool HasJsonStatus(const std::string& protocol) { return protocol.starts_with("v4.") || protocol.starts_with("v5."); }

Result<std::vector<uint16_t>> ChannelPorts(const std::vector<uint16_t>& requested, std::string_view query) {
  std::vector<uint16_t> ports = requested;
  const bool has_own = !ports.empty();
  for (const std::string& pair : base::Split(query, '&')) {
    if (has_own || !pair.starts_with("port=")) continue;
    for (const std::string& text : base::Split(std::string_view(pair).substr(5), ',')) {
      const auto port = base::ParseUint(text);
      if (!port || *port == 0 || *port > UINT16_MAX) {
        return Fail(Code::kInvalidArgument, "unable to parse {} as a port", base::Quote(text));
      }
      ports.push_back(static_cast<uint16_t>(*port));
    }
  }
  if (ports.empty()) return Fail(Code::kInvalidArgument, "query parameter \"port\" is required");
  if (ports.size() > kMaxChannelPorts) {
    return Fail(Code::kInvalidArgument, "{} ports, over channels at most {} can be forwarded", ports.size(),
                kMaxChannelPorts);
  }
  return ports;
}

std::variant<http::Response, Agreed> Negotiate(const http::Request& request, StreamingKind kind) {
  const std::string upgrade = HeaderOf(request, "upgrade");
  const bool asks = Names(HeaderOf(request, "connection"), "upgrade");
  if (asks && Names(upgrade, kWebSocket)) return NegotiateWebSocket(request, kind);
  if (asks && Names(upgrade, kSpdy)) return NegotiateSpdy(request, kind);
  return Refuse(400, fmt::format("unable to upgrade: missing upgrade headers in request: connection {}, upgrade {}",
                                 base::Quote(HeaderOf(request, "connection")), base::Quote(upgrade)));
}

}  // namespace portcullis::runtime
