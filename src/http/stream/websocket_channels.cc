#include "http/stream/websocket_channels.h"

#include <utility>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::http {

WebSocketChannels::WebSocketChannels(Side side, ChannelProtocol protocol, std::vector<Channel> channels)
    : side_(side), protocol_(protocol), channels_(std::move(channels)), socket_(side), decoder_(protocol) {}

StreamId WebSocketChannels::Open(const StreamHeaders& headers) const {
  const auto wanted = headers.find("streamtype");
  for (size_t number = 0; wanted != headers.end() && number < channels_.size(); ++number) {
    const auto type = channels_[number].headers.find("streamtype");
    if (type != channels_[number].headers.end() && type->second == wanted->second) {
      return static_cast<StreamId>(number + 1);
    }
  }
  return 0;
}

void WebSocketChannels::Begin(StreamEvents& events) {
  for (size_t number = 0; number < channels_.size(); ++number) {
    const Channel& channel = channels_[number];
    if (channel.greeting) SendMessage(number, *channel.greeting);
  }
  if (side_ == Side::kClient) return;  // it opens them
  for (size_t number = 0; number < channels_.size(); ++number) {
    const Channel& channel = channels_[number];
    if (channel.sends || channel.receives) events.OnOpen(static_cast<StreamId>(number + 1), channel.headers);
  }
}

Result<void> WebSocketChannels::Receive(std::string_view bytes, StreamEvents& events) {
  events_ = &events;
  auto received = socket_.Receive(bytes, *this);
  events_ = nullptr;
  return received;
}

Channel* WebSocketChannels::Find(StreamId id) {
  return id >= 1 && id <= channels_.size() ? &channels_[id - 1] : nullptr;
}

void WebSocketChannels::SendMessage(size_t number, std::string_view data) {
  socket_.Send(protocol_.base64 ? MessageKind::kText : MessageKind::kBinary,
               EncodeChannelMessage(protocol_, static_cast<uint8_t>(number), data));
}

void WebSocketChannels::Send(StreamId id, std::string_view data) {
  const Channel* channel = Find(id);
  if (channel != nullptr && channel->sends && !data.empty()) SendMessage(id - 1, data);
}

void WebSocketChannels::End(StreamId id) {
  Channel* channel = Find(id);
  if (channel == nullptr || !std::exchange(channel->sends, false)) return;
  // Only clients have it: to theirs (client-go) it is a message of an unknown stream.
  if (protocol_.close_signal && side_ == Side::kClient) {
    socket_.Send(MessageKind::kBinary, EncodeChannelClose(static_cast<uint8_t>(id - 1)));
  }
}

void WebSocketChannels::Reset(StreamId id) {
  End(id);
  if (Channel* channel = Find(id)) channel->receives = false;
}

// Both kinds are taken, whatever the protocol calls for: so does Kubernetes' server.
Result<void> WebSocketChannels::OnMessage(MessageKind) {
  decoder_.Begin();
  return {};
}

Result<void> WebSocketChannels::OnMessagePiece(std::string_view piece) {
  ASSIGN_OR_RETURN(const std::optional<ChannelPiece> taken, decoder_.Take(piece));
  if (!taken || taken->channel >= channels_.size() || !channels_[taken->channel].receives) return {};
  events_->OnData(static_cast<StreamId>(taken->channel) + 1, taken->data);
  return {};
}

Result<void> WebSocketChannels::OnMessageEnd() {
  ASSIGN_OR_RETURN(const std::optional<uint8_t> closed, decoder_.End());
  if (!closed) return {};
  if (*closed >= channels_.size()) {
    return Fail(Code::kInvalidArgument, "close signal of channel {}, of {} there are", *closed, channels_.size());
  }
  if (std::exchange(channels_[*closed].receives, false)) events_->OnEnd(static_cast<StreamId>(*closed) + 1);
  return {};
}

Result<void> WebSocketChannels::OnClosed(uint16_t status, std::string_view reason) {
  const bool usual = status == kWebSocketNormalClosure || status == kWebSocketGoingAway || status == kWebSocketNoStatus;
  if (side_ == Side::kClient && !usual) {
    return Fail(Code::kUnavailable, "the server has ended the connection with WebSocket status {}{}", status,
                reason.empty() ? "" : ": " + base::Quote(reason));
  }
  for (size_t number = 0; number < channels_.size(); ++number) {
    const bool was_open = std::exchange(channels_[number].receives, false);
    if (was_open && side_ == Side::kClient) events_->OnEnd(static_cast<StreamId>(number + 1));
  }
  events_->OnClose();
  return {};
}

}  // namespace portcullis::http
