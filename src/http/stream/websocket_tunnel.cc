#include "http/stream/websocket_tunnel.h"

#include <utility>

namespace portcullis::http {

Result<void> WebSocketTunnel::Receive(std::string_view bytes, StreamEvents& events) {
  events_ = &events;
  auto received = socket_.Receive(bytes, *this);
  events_ = nullptr;
  return received;
}

void WebSocketTunnel::Close() {
  inner_->Close();
  output();
  socket_.Close();
}

std::string& WebSocketTunnel::output() {
  if (const std::string carried = std::exchange(inner_->output(), {}); !carried.empty()) {
    socket_.Send(MessageKind::kBinary, carried);
  }
  return socket_.output();
}

Result<void> WebSocketTunnel::OnMessage(MessageKind kind) {
  if (kind == MessageKind::kBinary) return {};
  return Fail(Code::kInvalidArgument, "WebSocket message of text, a tunnel takes binary ones");
}

Result<void> WebSocketTunnel::OnClosed(uint16_t, std::string_view) {
  events_->OnClose();
  return {};
}

}  // namespace portcullis::http
