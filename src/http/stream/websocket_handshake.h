// What both sides of a WebSocket handshake compute (RFC 6455, 4.2.2).
#pragma once

#include <string>
#include <string_view>

namespace portcullis::http {

inline constexpr char kWebSocketVersion[] = "13";

// Sixteen bytes of getrandom(2), in base64: Sec-WebSocket-Key of a request.
std::string MakeWebSocketKey();
// Whether a request's key is such.
bool IsWebSocketKey(std::string_view key);
// Sec-WebSocket-Accept of the answer to a request with that key.
std::string WebSocketAccept(std::string_view key);

}  // namespace portcullis::http
