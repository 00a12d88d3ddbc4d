#include "http/stream/spdy_streams.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "http/stream/recorder.h"

namespace portcullis::http {
namespace {

TEST(Spdy, GoldenFrames) {
  SpdyStreams client(Side::kClient);
  const StreamId id = client.Open({{"streamtype", "stdin"}});
  client.Send(id, "hi");
  client.End(id);
  client.Close();
  const std::string bytes = Take(client);
  // SYN_STREAM of stream 1; its header block begins with zlib's head and the number of the fixed dictionary.
  EXPECT_EQ(Hex(bytes.substr(0, 6)), "800300010000");
  EXPECT_EQ(Hex(bytes.substr(8, 10)), "00000001000000000000");
  EXPECT_EQ(Hex(bytes.substr(20, 4)), "e3c6a7c2");
  const size_t block_end = 8 + static_cast<unsigned char>(bytes[7]);
  EXPECT_EQ(Hex(std::string_view(bytes).substr(block_end)),
            "0000000100000002"  // data of stream 1, 2 bytes
            "6869"
            "0000000101000000"  // its end
            "8003000700000008"  // GOAWAY, last stream 0, OK
            "0000000000000000");
}

TEST(Spdy, DictionaryIsTheProtocols) {
  // A block that another program's zlib made: its number of the dictionary is the sum over its bytes.
  const std::string compressed = spdy::HeaderDeflater().Compress(spdy::WriteHeaderBlock({{"a", "b"}}));
  EXPECT_EQ(spdy::ReadUint32(compressed.substr(2)), 0xe3c6a7c2u);
}

TEST(Spdy, SessionBothWays) {
  SpdyStreams client(Side::kClient);
  SpdyStreams server(Side::kServer);
  Recorder at_client;
  Recorder at_server;
  const StreamId error = client.Open({{"streamtype", "error"}});
  const StreamId data = client.Open({{"port", "80"}, {"streamtype", "data"}});
  client.Send(data, "ping");
  client.End(data);
  // Byte by byte: frames are cut anywhere.
  for (const char c : Take(client)) ASSERT_TRUE(server.Receive(std::string_view(&c, 1), at_server));
  EXPECT_EQ(at_server.lines,
            (Lines{"open 1 streamtype=error", "open 3 port=80 streamtype=data", "data 3 ping", "end 3"}));
  server.Send(data, "pong");
  server.End(data);
  server.Send(data, "after its end: not sent");
  server.Reset(error);
  server.Close();
  ASSERT_TRUE(client.Receive(Take(server), at_client));
  EXPECT_EQ(at_client.lines, (Lines{"data 3 pong", "end 3", "reset 1", "close"}));
}

TEST(Spdy, LargeDataIsCutIntoFrames) {
  SpdyStreams client(Side::kClient);
  SpdyStreams server(Side::kServer);
  Recorder at_server;
  const std::string large(3'000'001, 'x');
  client.Send(client.Open({{"streamtype", "stdin"}}), large);
  ASSERT_TRUE(server.Receive(Take(client), at_server));
  ASSERT_EQ(at_server.lines.size(), 2u);
  EXPECT_EQ(at_server.lines[1].size(), large.size() + std::string("data 1 ").size());
}

TEST(Spdy, PingIsEchoedAndOnesOwnIsNot) {
  SpdyStreams server(Side::kServer);
  Recorder events;
  std::string ping;
  spdy::AppendUint32(ping, 7);
  const std::string frame = spdy::ControlFrame(spdy::FrameType::kPing, 0, ping);
  ASSERT_TRUE(server.Receive(frame, events));
  EXPECT_EQ(Take(server), frame);
  ping.back() = 8;
  ASSERT_TRUE(server.Receive(spdy::ControlFrame(spdy::FrameType::kPing, 0, ping), events));
  EXPECT_EQ(Take(server), "");
}

TEST(Spdy, IgnoredFrames) {
  SpdyStreams server(Side::kServer);
  Recorder events;
  for (const auto type :
       {spdy::FrameType::kSettings, spdy::FrameType::kWindowUpdate, static_cast<spdy::FrameType>(99)}) {
    ASSERT_TRUE(server.Receive(spdy::ControlFrame(type, 0, "12345678"), events));
  }
  // Data of a stream that nobody opened, and its end.
  ASSERT_TRUE(server.Receive(spdy::DataFrame(5, "lost", true), events));
  EXPECT_TRUE(events.lines.empty());
  EXPECT_EQ(Take(server), "");
}

TEST(Spdy, HostileFramesAreErrors) {
  const auto error = [](std::string bytes) {
    SpdyStreams server(Side::kServer);
    Recorder events;
    const auto result = server.Receive(bytes, events);
    return result ? std::string("taken") : result.error().message;
  };
  EXPECT_EQ(error(std::string("\x80\x02\0\x01\0\0\0\0", 8)), "SPDY frame of version 2, expected 3");
  EXPECT_EQ(error(std::string("\x80\x03\0\x01\0\xff\xff\xff", 8)),
            "SPDY control frame of 16777215 bytes, at most 65536 are taken");
  EXPECT_EQ(error(spdy::ControlFrame(spdy::FrameType::kSynStream, 0, "short")), "SPDY SYN_STREAM is cut short");
  EXPECT_EQ(error(spdy::ControlFrame(spdy::FrameType::kRstStream, 0, "short")),
            "SPDY frame of type 3 has 5 bytes, expected 8");
  const std::string garbage("\0\0\0\1\0\0\0\0\0\0not zlib's", 20);
  EXPECT_EQ(error(spdy::ControlFrame(spdy::FrameType::kSynStream, 0, garbage)), "SPDY header block cannot be inflated");
  // A stream with an even number is not the client's to open.
  std::string syn;
  spdy::AppendUint32(syn, 2);
  syn.append(6, '\0');
  syn += spdy::HeaderDeflater().Compress(spdy::WriteHeaderBlock({{"a", "b"}}));
  EXPECT_EQ(error(spdy::ControlFrame(spdy::FrameType::kSynStream, 0, syn)),
            "SPDY stream 2 cannot be opened by the peer after 0");
}

TEST(Spdy, InflatedHeadersAreBounded) {
  // A megabyte of zeros is about a kilobyte compressed.
  const std::string bomb = spdy::HeaderDeflater().Compress(std::string(1u << 20, '\0'));
  ASSERT_LT(bomb.size(), 4096u);
  const auto expanded = spdy::HeaderInflater().Expand(bomb);
  ASSERT_FALSE(expanded);
  EXPECT_EQ(expanded.error().message, "SPDY header block of more than 65536 bytes");
}

TEST(Spdy, HeaderBlocks) {
  const auto error = [](const std::string& block) {
    const auto result = spdy::ReadHeaderBlock(block);
    return result ? std::string("taken") : result.error().message;
  };
  const std::map<std::string, std::string> headers = {{"port", "80"}, {"streamtype", "data"}};
  const std::string block = spdy::WriteHeaderBlock(headers);
  EXPECT_EQ(spdy::ReadHeaderBlock(block).value(), headers);
  for (size_t size = 0; size < block.size(); ++size) EXPECT_NE(error(block.substr(0, size)), "taken") << size;
  EXPECT_EQ(error(block + "x"), "SPDY header block has 1 bytes too many");
  EXPECT_EQ(error(std::string("\0\0\0\1\0\0\0\0\0\0\0\0", 12)), "SPDY header without a name");
}

TEST(Spdy, StreamsAreBounded) {
  SpdyStreams client(Side::kClient);
  SpdyStreams server(Side::kServer);
  Recorder at_client;
  Recorder at_server;
  StreamId last = 0;
  for (int i = 0; i < 1001; ++i) last = client.Open({{"streamtype", "data"}});
  ASSERT_TRUE(server.Receive(Take(client), at_server));
  EXPECT_EQ(at_server.lines.size(), 1000u);
  ASSERT_TRUE(client.Receive(Take(server), at_client));
  EXPECT_EQ(at_client.lines, (Lines{fmt::format("reset {}", last)}));
}

}  // namespace
}  // namespace portcullis::http
