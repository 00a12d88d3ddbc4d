#include "runtime/streaming/handshake.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "runtime/streaming/transport.h"

namespace portcullis::runtime {
namespace {

using namespace std::string_literals;

http::Request WebSocketRequest(const std::string& protocols) {
  http::Request request{.method = "GET",
                        .path = "/exec/T",
                        .headers = {{"connection", "keep-alive, Upgrade"},
                                    {"upgrade", "websocket"},
                                    {"sec-websocket-version", "13"},
                                    {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="}}};
  if (!protocols.empty()) request.headers["sec-websocket-protocol"] = protocols;
  return request;
}

// "channels v4.channel.k8s.io", or "403 text".
std::string Outcome(const http::Request& request, StreamingKind kind = StreamingKind::kExec) {
  const auto negotiated = Negotiate(request, kind);
  if (const auto* refusal = std::get_if<http::Response>(&negotiated)) {
    return fmt::format("{} {}", refusal->status, base::Trim(refusal->body));
  }
  const Agreed& agreed = std::get<Agreed>(negotiated);
  const char* transport = agreed.transport == Transport::kSpdy       ? "spdy"
                          : agreed.transport == Transport::kChannels ? "channels"
                                                                     : "tunnel";
  return fmt::format("{} {}", transport, agreed.protocol);
}
std::string Outcome(const std::string& protocols, StreamingKind kind = StreamingKind::kExec) {
  return Outcome(WebSocketRequest(protocols), kind);
}

TEST(Handshake, WebSocketProtocolsOfExec) {
  for (const char* protocol : {"v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io", "channel.k8s.io",
                               "base64.channel.k8s.io"}) {
    EXPECT_EQ(Outcome(protocol), std::string("channels ") + protocol);
    EXPECT_EQ(Outcome(protocol, StreamingKind::kAttach), std::string("channels ") + protocol);
  }
  EXPECT_EQ(Outcome(""), "channels ") << "the oldest clients name none";
  EXPECT_EQ(Outcome("v6.channel.k8s.io, v4.channel.k8s.io,v5.channel.k8s.io"), "channels v4.channel.k8s.io")
      << "the client's order decides";
  EXPECT_EQ(Outcome("v3.channel.k8s.io, SPDY/3.1+portforward.k8s.io"),
            "403 requested protocol(s) are not supported: [v3.channel.k8s.io SPDY/3.1+portforward.k8s.io]; supports "
            "[v5.channel.k8s.io v4.channel.k8s.io v4.base64.channel.k8s.io channel.k8s.io base64.channel.k8s.io]");
  EXPECT_TRUE(Outcome("V5.CHANNEL.K8S.IO").starts_with("403 "));
}

TEST(Handshake, WebSocketProtocolsOfPortForward) {
  constexpr auto kForward = StreamingKind::kPortForward;
  EXPECT_EQ(Outcome("SPDY/3.1+portforward.k8s.io", kForward), "tunnel portforward.k8s.io");
  for (const char* protocol : {"v4.channel.k8s.io", "v4.base64.channel.k8s.io", "portforward.k8s.io"}) {
    EXPECT_EQ(Outcome(protocol, kForward), std::string("channels ") + protocol);
  }
  EXPECT_EQ(Outcome("", kForward), "channels ");
  EXPECT_TRUE(Outcome("v5.channel.k8s.io", kForward).starts_with("403 "));
}

TEST(Handshake, WebSocketAnswer) {
  const auto headers = std::get<Agreed>(Negotiate(WebSocketRequest("v4.channel.k8s.io"), StreamingKind::kExec)).headers;
  EXPECT_EQ(headers, (http::HeaderLines{{"Upgrade", "websocket"},
                                        {"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
                                        {"Sec-WebSocket-Protocol", "v4.channel.k8s.io"}}));
  EXPECT_EQ(std::get<Agreed>(Negotiate(WebSocketRequest(""), StreamingKind::kExec)).headers.size(), 2u);
}

TEST(Handshake, BadRequests) {
  http::Request request = WebSocketRequest("v4.channel.k8s.io");
  request.method = "POST";
  EXPECT_EQ(Outcome(request), "405 websocket: bad method");
  for (const char* key : {"", "short", "dGhlIHNhbXBsZQ=="}) {
    request = WebSocketRequest("v4.channel.k8s.io");
    request.headers["sec-websocket-key"] = key;
    EXPECT_EQ(Outcome(request), "400 websocket: Sec-WebSocket-Key is not sixteen bytes of base64");
  }
  request = WebSocketRequest("v4.channel.k8s.io");
  request.headers["sec-websocket-version"] = "8";
  EXPECT_EQ(Outcome(request), "426 websocket: missing or bad Sec-WebSocket-Version");
  request.headers.erase("sec-websocket-version");
  EXPECT_EQ(std::get<http::Response>(Negotiate(request, StreamingKind::kExec)).headers,
            (http::HeaderLines{{"Sec-WebSocket-Version", "13"}, {"Upgrade", "websocket"}}));
  request = WebSocketRequest("v4.channel.k8s.io");
  request.headers["connection"] = "close";
  EXPECT_EQ(Outcome(request),
            "400 unable to upgrade: missing upgrade headers in request: connection \"close\", upgrade \"websocket\"");
  EXPECT_TRUE(Outcome(http::Request{.method = "GET", .path = "/exec/T"}).starts_with("400 "));
}

TEST(Handshake, SpdyIsAsBefore) {
  http::Request request{.method = "POST",
                        .headers = {{"connection", "Upgrade"},
                                    {"upgrade", "SPDY/3.1"},
                                    {"x-stream-protocol-version", "v5.channel.k8s.io, v4.channel.k8s.io"}}};
  EXPECT_EQ(Outcome(request), "spdy v4.channel.k8s.io");
  request.headers["x-stream-protocol-version"] = "v9.channel.k8s.io";
  EXPECT_TRUE(Outcome(request).starts_with("403 unable to upgrade: unable to negotiate protocol"));
}

TEST(Handshake, JsonStatusSinceV4) {
  for (const char* protocol : {"v4.channel.k8s.io", "v5.channel.k8s.io", "v4.base64.channel.k8s.io"}) {
    EXPECT_TRUE(HasJsonStatus(protocol));
  }
  for (const char* protocol : {"", "channel.k8s.io", "base64.channel.k8s.io", "v2.channel.k8s.io"}) {
    EXPECT_FALSE(HasJsonStatus(protocol));
  }
}

TEST(Handshake, PortsOfChannels) {
  const auto ports = [](const std::vector<uint16_t>& requested, std::string_view query) {
    const auto found = ChannelPorts(requested, query);
    if (!found) return found.error().message;
    std::string text;
    for (const uint16_t port : *found) text += std::to_string(port) + " ";
    return text;
  };
  EXPECT_EQ(ports({80, 81}, ""), "80 81 ");
  EXPECT_EQ(ports({80}, "port=9"), "80 ") << "the CRI request's count";
  EXPECT_EQ(ports({}, "port=80&other=1&port=81,65535"), "80 81 65535 ");
  EXPECT_EQ(ports({}, ""), "query parameter \"port\" is required");
  for (const char* text : {"", "0", "65536", "x", "-1", "80x"}) {
    EXPECT_EQ(ports({}, std::string("port=") + text), fmt::format("unable to parse \"{}\" as a port", text));
  }
  EXPECT_EQ(ports(std::vector<uint16_t>(128, 80), ""), "128 ports, over channels at most 127 can be forwarded");
}

TEST(Transport, ChannelsOfExec) {
  const auto told = [](const StdioRequest& request) {
    std::string text;
    for (const http::Channel& channel : StdioChannels(request)) {
      text += channel.receives ? '<' : channel.sends ? '>' : '-';
      if (channel.greeting) text += '!';
    }
    return text;
  };
  EXPECT_EQ(told({.tty = false, .input = true, .output = true, .error = true}), "<>!>>-");
  EXPECT_EQ(told({.tty = true, .input = true, .output = true}),
            "<>!->"
            "<");
  EXPECT_EQ(told({.error = true}), "-->!>-");
  EXPECT_EQ(told({.input = true}), "<-->!-");
}

TEST(Transport, ChannelsOfPorts) {
  const auto channels = ForwardChannels({.ports = {80, 0x1f90}});
  ASSERT_EQ(channels.size(), 4u);
  EXPECT_EQ(channels[0].greeting, "\x50\0"s);
  EXPECT_EQ(channels[1].greeting, "\x50\0"s);
  EXPECT_EQ(channels[2].greeting, "\x90\x1f"s);
  EXPECT_EQ(channels[3].headers, (http::StreamHeaders{{"streamtype", "error"}, {"port", "8080"}, {"requestid", "1"}}));
  EXPECT_TRUE(channels[2].receives && channels[2].sends);
  EXPECT_TRUE(!channels[3].receives && channels[3].sends);
}

}  // namespace
}  // namespace portcullis::runtime
