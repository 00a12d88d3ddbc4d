// Another transport inside the binary messages of a WebSocket connection: the sub-protocol SPDY/3.1+portforward.k8s.io
// (KEP-4006). Where a message begins and ends means nothing.
//
//   WebSocketTunnel streams(Side::kServer, std::make_unique<SpdyStreams>(Side::kServer));
#pragma once

#include <memory>
#include <string>

#include "http/stream/streams.h"
#include "http/stream/websocket.h"

namespace portcullis::http {

class WebSocketTunnel : public Streams, private WebSocketEvents {
 public:
  WebSocketTunnel(Side side, std::unique_ptr<Streams> inner) : socket_(side), inner_(std::move(inner)) {}

  void Begin(StreamEvents& events) override { inner_->Begin(events); }
  // kInvalidArgument also for text.
  Result<void> Receive(std::string_view bytes, StreamEvents& events) override;
  void Send(StreamId id, std::string_view data) override { inner_->Send(id, data); }
  void End(StreamId id) override { inner_->End(id); }
  void Reset(StreamId id) override { inner_->Reset(id); }
  void Close() override;
  bool IsFixed() const override { return inner_->IsFixed(); }
  std::string& output() override;

 private:
  Result<void> OnMessage(MessageKind kind) override;
  Result<void> OnMessagePiece(std::string_view piece) override { return inner_->Receive(piece, *events_); }
  Result<void> OnMessageEnd() override { return {}; }
  Result<void> OnClosed(uint16_t status, std::string_view reason) override;

  WebSocket socket_;
  const std::unique_ptr<Streams> inner_;
  StreamEvents* events_ = nullptr;  // while bytes are received
};

}  // namespace portcullis::http
