// One WebSocket connection (RFC 6455) after its handshake; the framing is wslay's. Values in, values out: bytes of the
// connection go into Receive, bytes for it come out of output().
//
//   WebSocket socket(Side::kServer);
//   TRY(socket.Receive(bytes, events));                      // events.OnMessagePiece("...") ...
//   socket.Send(MessageKind::kBinary, "\1hello");
//   socket.Close();
//
// Messages may be of any size: they are handed on in pieces as they come, and nothing of them is kept. Pings are
// answered, masks are demanded from clients, text must be UTF-8.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/stream/streams.h"

namespace portcullis::http {

enum class MessageKind { kBinary, kText };

inline constexpr uint16_t kWebSocketNormalClosure = 1000;  // RFC 6455, 7.4.1, as the next two
inline constexpr uint16_t kWebSocketGoingAway = 1001;
inline constexpr uint16_t kWebSocketNoStatus = 1005;  // a close frame that says nothing

// What the peer sends. An error of any of them ends the connection: the peer broke the protocol above.
class WebSocketEvents {
 public:
  virtual ~WebSocketEvents() = default;
  virtual Result<void> OnMessage(MessageKind kind) = 0;
  virtual Result<void> OnMessagePiece(std::string_view piece) = 0;  // never empty
  virtual Result<void> OnMessageEnd() = 0;
  virtual Result<void> OnClosed(uint16_t status, std::string_view reason) = 0;  // nothing comes after it
};

class WebSocket {
 public:
  explicit WebSocket(Side side);
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // The next bytes of the connection, cut anywhere. On an error output() ends with the close frame that RFC 6455 asks
  // for.
  Result<void> Receive(std::string_view bytes, WebSocketEvents& events);

  // Nothing after Close.
  void Send(MessageKind kind, std::string_view message);
  void Close();  // with the status of a normal end

  std::string& output();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::http
