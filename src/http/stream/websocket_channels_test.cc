#include "http/stream/websocket_channels.h"

#include <gtest/gtest.h>

#include "http/stream/recorder.h"
#include "http/stream/spdy_streams.h"
#include "http/stream/websocket_handshake.h"
#include "http/stream/websocket_tunnel.h"

namespace portcullis::http {
namespace {

using namespace std::string_literals;

constexpr StreamId kStdin = 1;  // channel 0, and so on
constexpr StreamId kStdout = 2;
constexpr StreamId kError = 4;
constexpr StreamId kResize = 5;

std::vector<Channel> ServerChannels() {
  return {{.headers = {{"streamtype", "stdin"}}, .receives = true},
          {.headers = {{"streamtype", "stdout"}}, .sends = true, .greeting = ""},
          {.headers = {{"streamtype", "stderr"}}},  // not asked for
          {.headers = {{"streamtype", "error"}}, .sends = true},
          {.headers = {{"streamtype", "resize"}}, .receives = true}};
}

std::vector<Channel> ClientChannels() {
  return {{.headers = {{"streamtype", "stdin"}}, .sends = true},
          {.headers = {{"streamtype", "stdout"}}, .receives = true},
          {.headers = {{"streamtype", "stderr"}}, .receives = true},
          {.headers = {{"streamtype", "error"}}, .receives = true},
          {.headers = {{"streamtype", "resize"}}, .sends = true}};
}

// A client's frame with the mask 0, which leaves the text as it is: final bit and opcode, then the text.
std::string Frame(unsigned char first, std::string_view text) {
  std::string frame(1, static_cast<char>(first));
  if (text.size() < 126) {
    frame += static_cast<char>(0x80 | text.size());
  } else {
    frame += "\xfe"s + static_cast<char>(text.size() >> 8) + static_cast<char>(text.size() & 0xff);
  }
  return frame + "\0\0\0\0"s + std::string(text);
}
std::string Binary(std::string_view text) { return Frame(0x82, text); }

class ChannelsTest : public testing::TestWithParam<const char*> {
 protected:
  ChannelProtocol protocol_ = ChannelProtocolOf(GetParam());
  WebSocketChannels server_{Side::kServer, protocol_, ServerChannels()};
  WebSocketChannels client_{Side::kClient, protocol_, ClientChannels()};
  Recorder at_server_;
  Recorder at_client_;
};

// Handshake.
TEST(WebSocketHandshake, TheRfcsExample) {
  EXPECT_EQ(WebSocketAccept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_TRUE(IsWebSocketKey(MakeWebSocketKey()));
  EXPECT_NE(MakeWebSocketKey(), MakeWebSocketKey());
  for (const char* key : {"", "x", "dGhlIHNhbXBsZQ==", "dGhlIHNhbXBsZSBub25jZSBsb25n"})
    EXPECT_FALSE(IsWebSocketKey(key));
}

TEST_P(ChannelsTest, BothWaysByteByByte) {
  server_.Begin(at_server_);
  client_.Begin(at_client_);
  EXPECT_EQ(at_server_.Told(), (Lines{"open 1 streamtype=stdin", "open 2 streamtype=stdout", "open 4 streamtype=error",
                                      "open 5 streamtype=resize"}));
  EXPECT_EQ(at_client_.Told(), Lines{});
  EXPECT_EQ(client_.Open({{"streamtype", "stdin"}}), kStdin);
  EXPECT_EQ(client_.Open({{"streamtype", "resize"}}), kResize);
  EXPECT_EQ(client_.Open({{"streamtype", "nothing"}}), 0u);
  EXPECT_EQ(client_.Open({}), 0u);

  client_.Send(kStdin, "some ");
  client_.Send(kStdin, "input");
  client_.Send(kResize, "{}");
  client_.Send(kStdout, "not its to send");
  for (const char c : Take(client_)) ASSERT_TRUE(server_.Receive(std::string_view(&c, 1), at_server_));
  EXPECT_EQ(at_server_.Told(), (Lines{"data 1 some input", "data 5 {}"}));

  const std::string large(200'000, 'x');
  server_.Send(kStdout, large);
  server_.Send(3, "stderr was not asked for");
  server_.Send(kError, "ok");
  server_.End(kStdout);
  server_.Send(kStdout, "after its end");
  server_.Close();
  server_.Send(kError, "after the close");
  for (const char c : Take(server_)) ASSERT_TRUE(client_.Receive(std::string_view(&c, 1), at_client_));
  EXPECT_EQ(at_client_.Told(), (Lines{"data 2 " + large, "data 4 ok", "end 2", "end 3", "end 4", "close"}));
  // The client answers the close frame, and the server takes it as leave.
  ASSERT_TRUE(server_.Receive(Take(client_), at_server_));
  EXPECT_EQ(at_server_.Told(), Lines{"close"});
}
INSTANTIATE_TEST_SUITE_P(Protocols, ChannelsTest,
                         testing::Values("v4.channel.k8s.io", "v5.channel.k8s.io", "base64.channel.k8s.io"),
                         [](const auto& tested) { return "p" + std::string(tested.param).substr(0, 2); });

TEST(Channels, ServersBytes) {
  WebSocketChannels server(Side::kServer, ChannelProtocolOf("v4.channel.k8s.io"), ServerChannels());
  Recorder events;
  server.Begin(events);
  EXPECT_EQ(Hex(Take(server)), "820101") << "an empty message on the first channel that it sends on";
  server.Send(kStdout, "hi");
  EXPECT_EQ(Hex(Take(server)), "8203016869");
  ASSERT_TRUE(server.Receive(Frame(0x89, "ping"), events));
  EXPECT_EQ(Hex(Take(server)), "8a0470696e67");
  server.Close();
  EXPECT_EQ(Hex(Take(server)), "880203e8");
}

TEST(Channels, HalfCloseIsOfV5) {
  for (const bool v5 : {true, false}) {
    const ChannelProtocol protocol = ChannelProtocolOf(v5 ? "v5.channel.k8s.io" : "v4.channel.k8s.io");
    WebSocketChannels server(Side::kServer, protocol, ServerChannels());
    WebSocketChannels client(Side::kClient, protocol, ClientChannels());
    Recorder events;
    client.Send(kStdin, "x");
    client.End(kStdin);
    client.End(kStdin);
    client.Send(kStdin, "late");
    ASSERT_TRUE(server.Receive(Take(client), events));
    EXPECT_EQ(events.Told(), v5 ? (Lines{"data 1 x", "end 1"}) : (Lines{"data 1 x"}));
    // Data after the end is ignored, as is an end of what the server sends on or ignores.
    ASSERT_TRUE(server.Receive(Binary("\0late"s), events));
    if (v5) {
      ASSERT_TRUE(server.Receive(Binary("\xff\0"s) + Binary("\xff\1") + Binary("\xff\2"), events));
    }
    EXPECT_EQ(events.Told(), v5 ? Lines{} : Lines{"data 1 late"});
    server.End(kStdout);
    EXPECT_EQ(Take(server), "") << "client-go knows no such message from a server";
  }
}

TEST(Channels, FragmentsAndTextAreTaken) {
  WebSocketChannels server(Side::kServer, ChannelProtocolOf("channel.k8s.io"), ServerChannels());
  Recorder events;
  // One message in three frames with a ping between; one as text; an empty one; one for a channel that is not there.
  ASSERT_TRUE(server.Receive(Frame(0x02, "\0so"s) + Frame(0x00, "me") + Frame(0x89, "p") + Frame(0x80, "\n"), events));
  ASSERT_TRUE(server.Receive(Frame(0x81, "\0text\n"s) + Binary("") + Binary("\x09lost") + Binary("\2lost"), events));
  EXPECT_EQ(events.Told(), Lines{"data 1 some\ntext\n"});
}

TEST(Channels, HostileFramesEndTheConnection) {
  const auto outcome = [](const std::string& bytes, const char* protocol = "v5.channel.k8s.io") {
    WebSocketChannels server(Side::kServer, ChannelProtocolOf(protocol), ServerChannels());
    Recorder events;
    const auto received = server.Receive(bytes, events);
    const std::string told = Hex(Take(server));
    EXPECT_FALSE(server.Receive(Binary("\0more"s), events) && !events.lines.empty()) << "nothing is taken afterwards";
    return (received ? "taken" : received.error().message) + ", " + told;
  };
  const std::string against = "WebSocket frame against RFC 6455";
  EXPECT_EQ(outcome("\x82\x03\0hi"s), against + " (close status 1002), 880203ea") << "no mask";
  EXPECT_EQ(outcome(Frame(0xc2, "\0hi"s)), against + " (close status 1002), 880203ea") << "a reserved bit";
  EXPECT_EQ(outcome(Frame(0x83, "\0hi"s)), against + " (close status 1002), 880203ea") << "an unknown opcode";
  EXPECT_EQ(outcome(Frame(0x80, "hi")), against + " (close status 1002), 880203ea") << "a continuation of nothing";
  EXPECT_EQ(outcome(Frame(0x02, "\0a"s) + Frame(0x82, "\0b"s)), against + " (close status 1002), 880203ea")
      << "a message within another";
  EXPECT_EQ(outcome(Frame(0x09, "ping")), against + " (close status 1005), 8800") << "a ping in pieces";
  EXPECT_EQ(outcome(Frame(0x89, std::string(126, 'x'))), against + " (close status 1005), 8800") << "a long ping";
  EXPECT_EQ(outcome("\x82\xfe\0\x01\0\0\0\0\0"s), against + " (close status 1005), 8800")
      << "a length not as short as can be";
  EXPECT_EQ(outcome("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"s), against + " (close status 1005), 8800")
      << "a length of 64 bits";
  EXPECT_EQ(outcome(Frame(0x81, "\0\xc3\x28"s)), against + " (close status 1007), 880203ef")
      << "text that is not UTF-8";
  EXPECT_EQ(outcome(Binary("\xff")), "channel close signal without a channel, 880203ea");
  EXPECT_EQ(outcome(Binary("\xff\0\0"s)), "channel close signal of more than one channel, 880203ea");
  EXPECT_EQ(outcome(Binary("\xff\5")), "close signal of channel 5, of 5 there are, 880203ea");
  EXPECT_EQ(outcome(Frame(0x81, "0Zm9"), "v4.base64.channel.k8s.io"), "channel message is not base64, 880203ea");
}

TEST(Channels, MessagesOfAnySizeAreHandedOnAsTheyCome) {
  WebSocketChannels server(Side::kServer, ChannelProtocolOf("v4.channel.k8s.io"), ServerChannels());
  Recorder events;
  // A message that says it has 2^62 bytes: what is there of it arrives, and nothing is set aside for the rest.
  ASSERT_TRUE(server.Receive("\x82\xff\x40\0\0\0\0\0\0\0\0\0\0\0\0first"s, events));
  EXPECT_EQ(events.Told(), Lines{"data 1 first"});
}

TEST(Channels, ClientsAreToldOfAnUnusualEnd) {
  WebSocketChannels client(Side::kClient, ChannelProtocolOf("v5.channel.k8s.io"), ClientChannels());
  Recorder events;
  const auto received = client.Receive(
      "\x88\x06\x03\xf3"
      "full"s,
      events);
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().code, Code::kUnavailable);
  EXPECT_EQ(received.error().message, "the server has ended the connection with WebSocket status 1011: \"full\"");
}

TEST(Tunnel, SpdyInside) {
  auto inside = std::make_unique<SpdyStreams>(Side::kClient);
  SpdyStreams& spdy = *inside;
  WebSocketTunnel client(Side::kClient, std::move(inside));
  WebSocketTunnel server(Side::kServer, std::make_unique<SpdyStreams>(Side::kServer));
  Recorder at_client;
  Recorder at_server;
  const StreamId id = spdy.Open({{"streamtype", "data"}, {"port", "80"}});
  client.Send(id, "ping");
  client.End(id);
  for (const char c : Take(client)) ASSERT_TRUE(server.Receive(std::string_view(&c, 1), at_server));
  EXPECT_EQ(at_server.Told(), (Lines{"open 1 port=80 streamtype=data", "data 1 ping", "end 1"}));
  server.Send(id, std::string(100'000, 'y'));
  server.End(id);
  server.Close();
  ASSERT_TRUE(client.Receive(Take(server), at_client));
  EXPECT_EQ(at_client.Told(), (Lines{"data 1 " + std::string(100'000, 'y'), "end 1", "close" /* GOAWAY */,
                                     "close" /* the close frame */}));
  EXPECT_FALSE(client.IsFixed());

  Recorder events;
  WebSocketTunnel strict(Side::kServer, std::make_unique<SpdyStreams>(Side::kServer));
  EXPECT_EQ(strict.Receive(Frame(0x81, "text"), events).error().message,
            "WebSocket message of text, a tunnel takes binary ones");
  WebSocketTunnel other(Side::kServer, std::make_unique<SpdyStreams>(Side::kServer));
  EXPECT_EQ(other.Receive(Binary("GET / HTTP/1.1\r\n\xff\xff\xff"), events).has_value(), true)
      << "a data frame of a stream that is not there";
  WebSocketTunnel wrong(Side::kServer, std::make_unique<SpdyStreams>(Side::kServer));
  EXPECT_EQ(wrong.Receive(Binary("\x80\x02\0\x01\0\0\0\0"s), events).error().message,
            "SPDY frame of version 2, expected 3");
}

}  // namespace
}  // namespace portcullis::http
