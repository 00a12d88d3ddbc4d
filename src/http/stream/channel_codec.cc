#include "http/stream/channel_codec.h"

#include <utility>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::http {
namespace {

constexpr size_t kGroup = 4;  // characters of base64 that make three bytes
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

Failure BadBase64() { return Fail(Code::kInvalidArgument, "channel message is not base64"); }

}  // namespace

ChannelProtocol ChannelProtocolOf(std::string_view name) {
  return {.base64 = name.find("base64.") != std::string_view::npos, .close_signal = name.starts_with("v5.")};
}

std::string EncodeChannelMessage(const ChannelProtocol& protocol, uint8_t channel, std::string_view data) {
  std::string message(1, static_cast<char>(protocol.base64 ? '0' + channel : channel));
  if (protocol.base64) {
    message += base::ToBase64(data);
  } else {
    message += data;
  }
  return message;
}

std::string EncodeChannelClose(uint8_t channel) {
  return {static_cast<char>(kCloseChannel), static_cast<char>(channel)};
}

void ChannelDecoder::Begin() {
  channel_.reset();
  closed_.reset();
  rest_.clear();
  padded_ = false;
}

Result<std::optional<ChannelPiece>> ChannelDecoder::Take(std::string_view piece) {
  if (!channel_ && !piece.empty()) {
    const auto first = static_cast<uint8_t>(piece.front());
    channel_ = protocol_.base64 ? static_cast<uint8_t>(first - '0') : first;
    piece.remove_prefix(1);
  }
  if (piece.empty()) return std::nullopt;
  if (protocol_.close_signal && *channel_ == kCloseChannel) {
    if (closed_ || piece.size() > 1)
      return Fail(Code::kInvalidArgument, "channel close signal of more than one channel");
    closed_ = static_cast<uint8_t>(piece.front());
    return std::nullopt;
  }
  if (!protocol_.base64) return ChannelPiece{*channel_, std::string(piece)};
  ASSIGN_OR_RETURN(std::string data, Decode(piece));
  if (data.empty()) return std::nullopt;
  return ChannelPiece{*channel_, std::move(data)};
}

Result<std::string> ChannelDecoder::Decode(std::string_view piece) {
  rest_ += piece;
  const size_t whole = rest_.size() / kGroup * kGroup;
  const std::string groups = rest_.substr(0, whole);
  rest_.erase(0, whole);
  if (groups.empty()) return groups;
  const size_t padding = groups.find('=');
  const bool misplaced = padding < groups.size() - 2 || (padding == groups.size() - 2 && groups.back() != '=');
  // White space, which base::FromBase64 may skip, is none of it either.
  if (padded_ || misplaced || groups.find_first_not_of(kAlphabet) != std::string::npos) return BadBase64();
  padded_ = padding != std::string::npos;
  auto data = base::FromBase64(groups);
  if (!data) return BadBase64();
  return *std::move(data);
}

Result<std::optional<uint8_t>> ChannelDecoder::End() {
  if (!rest_.empty()) return BadBase64();
  if (protocol_.close_signal && channel_ == kCloseChannel && !closed_) {
    return Fail(Code::kInvalidArgument, "channel close signal without a channel");
  }
  return std::exchange(closed_, std::nullopt);
}

}  // namespace portcullis::http
