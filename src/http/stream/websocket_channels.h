// Kubernetes' channels over WebSocket: the sub-protocols channel.k8s.io, base64.channel.k8s.io, v4.… of both, and
// v5.channel.k8s.io. The channels are fixed beforehand, their number is their place in the list; a stream's id is that
// number plus one.
//
//   WebSocketChannels streams(Side::kServer, ChannelProtocolOf("v4.channel.k8s.io"),
//                             {{.headers = {{"streamtype", "stdin"}}, .receives = true}, ...});
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/stream/channel_codec.h"
#include "http/stream/streams.h"
#include "http/stream/websocket.h"

namespace portcullis::http {

// As this side sees it. One that neither sends nor receives only keeps its number: what comes on it is ignored.
struct Channel {
  StreamHeaders headers;
  bool receives = false;
  bool sends = false;
  std::optional<std::string> greeting;  // the first message on it, sent in Begin; may be empty
};

class WebSocketChannels : public Streams, private WebSocketEvents {
 public:
  WebSocketChannels(Side side, ChannelProtocol protocol, std::vector<Channel> channels);

  // The client's way to a channel: the one with this streamtype; 0 when there is none.
  StreamId Open(const StreamHeaders& headers) const;

  void Begin(StreamEvents& events) override;
  // A client gets kUnavailable when the server ends the connection otherwise than as usual.
  Result<void> Receive(std::string_view bytes, StreamEvents& events) override;
  void Send(StreamId id, std::string_view data) override;
  void End(StreamId id) override;
  void Reset(StreamId id) override;
  void Close() override { socket_.Close(); }
  bool IsFixed() const override { return true; }
  std::string& output() override { return socket_.output(); }

 private:
  Channel* Find(StreamId id);
  void SendMessage(size_t number, std::string_view data);

  Result<void> OnMessage(MessageKind kind) override;
  Result<void> OnMessagePiece(std::string_view piece) override;
  Result<void> OnMessageEnd() override;
  Result<void> OnClosed(uint16_t status, std::string_view reason) override;

  const Side side_;
  const ChannelProtocol protocol_;
  std::vector<Channel> channels_;  // receives and sends become false with the end of either
  WebSocket socket_;
  ChannelDecoder decoder_;
  StreamEvents* events_ = nullptr;  // while bytes are received
};

}  // namespace portcullis::http
