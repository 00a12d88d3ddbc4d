#include "http/stream/channel_codec.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/strings.h"

namespace portcullis::http {
namespace {

using namespace std::string_literals;

// What a decoder makes of one message that arrives in pieces of this size: "1:text", "close 0", or the error.
std::string Decode(const ChannelProtocol& protocol, std::string_view message, size_t piece = 1000) {
  ChannelDecoder decoder(protocol);
  decoder.Begin();
  std::string told;
  for (size_t at = 0; at < message.size(); at += piece) {
    const auto taken = decoder.Take(message.substr(at, piece));
    if (!taken) return taken.error().message;
    if (!*taken) continue;
    if (told.empty()) told = std::to_string((*taken)->channel) + ":";
    told += (*taken)->data;
  }
  const auto closed = decoder.End();
  if (!closed) return closed.error().message;
  return *closed ? "close " + std::to_string(**closed) : told;
}

TEST(ChannelCodec, FormsByName) {
  const auto form = [](const char* name) {
    const ChannelProtocol protocol = ChannelProtocolOf(name);
    return std::string(protocol.base64 ? "base64" : "binary") + (protocol.close_signal ? " with close" : "");
  };
  EXPECT_EQ(form(""), "binary");
  EXPECT_EQ(form("channel.k8s.io"), "binary");
  EXPECT_EQ(form("base64.channel.k8s.io"), "base64");
  EXPECT_EQ(form("v4.channel.k8s.io"), "binary");
  EXPECT_EQ(form("v4.base64.channel.k8s.io"), "base64");
  EXPECT_EQ(form("v5.channel.k8s.io"), "binary with close");
  EXPECT_EQ(form("portforward.k8s.io"), "binary");
}

// The examples of wsstream's own documentation.
TEST(ChannelCodec, Encodes) {
  EXPECT_EQ(EncodeChannelMessage({}, 0, "foo\n"), "\0foo\n"s);
  EXPECT_EQ(EncodeChannelMessage({}, 1, "\n"), "\1\n");
  EXPECT_EQ(EncodeChannelMessage({}, 3, ""), "\3");
  EXPECT_EQ(EncodeChannelMessage({.base64 = true}, 0, "foo\n"), "0Zm9vCg==");
  EXPECT_EQ(EncodeChannelMessage({.base64 = true}, 1, "\n"), "1Cg==");
  EXPECT_EQ(EncodeChannelMessage({.base64 = true}, 12, ""), "<");
  EXPECT_EQ(EncodeChannelClose(0), "\xff\0"s);
}

TEST(ChannelCodec, DecodesHoweverItIsCut) {
  const std::string data = "some text that is longer than a group\n\0\xff"s;
  for (const ChannelProtocol protocol : {ChannelProtocol{}, {.base64 = true}, {.close_signal = true}}) {
    const std::string message = EncodeChannelMessage(protocol, 2, data);
    for (size_t piece = 1; piece <= message.size(); ++piece) EXPECT_EQ(Decode(protocol, message, piece), "2:" + data);
  }
}

TEST(ChannelCodec, MessagesWithoutData) {
  EXPECT_EQ(Decode({}, ""), "");
  EXPECT_EQ(Decode({}, "\1"), "");
  EXPECT_EQ(Decode({.base64 = true}, "1"), "");
}

TEST(ChannelCodec, CloseSignalIsOfV5Alone) {
  for (const size_t piece : {1u, 2u}) EXPECT_EQ(Decode({.close_signal = true}, "\xff\0"s, piece), "close 0");
  EXPECT_EQ(Decode({}, "\xff\0"s), "255:\0"s);
  EXPECT_EQ(Decode({.close_signal = true}, "\xff"), "channel close signal without a channel");
  for (const size_t piece : {1u, 3u}) {
    EXPECT_EQ(Decode({.close_signal = true}, "\xff\0\0"s, piece), "channel close signal of more than one channel");
  }
  EXPECT_EQ(Decode({.close_signal = true}, "\xff\x09"), "close 9")
      << "whether there is such a channel is not known here";
}

TEST(ChannelCodec, BadBase64IsAnError) {
  for (const char* text : {"0Zm9v!", "0Zm9", "0Z", "0Zm9vCg=", "0=Zm9", "0Zm=v", "0Zm8=Zm8=", "0====", "0Zm9vCg==Zm9v",
                           "0Zm9v\t\t\t\t", "0 Zm9"}) {
    for (const size_t piece : {1u, 3u, 100u}) {
      EXPECT_EQ(Decode({.base64 = true}, text, piece), "channel message is not base64") << text << " by " << piece;
    }
  }
}

TEST(ChannelCodec, NothingIsKeptFromOneMessageToTheNext) {
  ChannelDecoder decoder({.base64 = true, .close_signal = false});
  decoder.Begin();
  ASSERT_TRUE(decoder.Take("0Zm"));
  decoder.Begin();
  const auto taken = decoder.Take("1Zm9v");
  ASSERT_TRUE(taken && *taken);
  EXPECT_EQ((*taken)->channel, 1);
  EXPECT_EQ((*taken)->data, "foo");
}

}  // namespace
}  // namespace portcullis::http
