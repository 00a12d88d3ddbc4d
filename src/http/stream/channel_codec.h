// The messages of Kubernetes' WebSocket sub-protocols (k8s.io/streaming, pkg/httpstream/wsstream): each begins with the
// number of a channel, as a byte or, in the base64 forms, as a digit. v5.channel.k8s.io adds the message [255,
// channel]: the sender's end of that channel. Pure.
//
//   ChannelDecoder decoder({.close_signal = true});
//   decoder.Begin();
//   decoder.Take("\0ls", ...)  -> channel 0, "ls"
//   decoder.End()              -> nothing, or the channel whose end this message was
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::http {

struct ChannelProtocol {
  bool base64 = false;        // text messages: a digit, then base64 (RFC 4648, section 4, with padding)
  bool close_signal = false;  // v5
};

inline constexpr uint8_t kCloseChannel = 255;

// The form of a sub-protocol ("v4.base64.channel.k8s.io"); the generation does not matter to it, but v5 has the close
// signal.
ChannelProtocol ChannelProtocolOf(std::string_view name);

std::string EncodeChannelMessage(const ChannelProtocol& protocol, uint8_t channel, std::string_view data);
std::string EncodeChannelClose(uint8_t channel);

struct ChannelPiece {
  uint8_t channel = 0;
  std::string data;
};

// One message after the other, in pieces cut anywhere.
class ChannelDecoder {
 public:
  explicit ChannelDecoder(ChannelProtocol protocol) : protocol_(protocol) {}

  void Begin();
  // Absent: nothing to hand on yet. kInvalidArgument: not base64; a close signal of another length than two.
  Result<std::optional<ChannelPiece>> Take(std::string_view piece);
  // The channel that the message closed. kInvalidArgument: base64 that is cut short; a close signal without its
  // channel.
  Result<std::optional<uint8_t>> End();

 private:
  Result<std::string> Decode(std::string_view piece);

  const ChannelProtocol protocol_;
  std::optional<uint8_t> channel_;
  std::optional<uint8_t> closed_;
  std::string rest_;     // base64 that makes no whole group yet
  bool padded_ = false;  // base64 may not go on after its padding
};

}  // namespace portcullis::http
