#include "http/stream/spdy_streams.h"

#include <algorithm>

#include "base/try.h"

namespace portcullis::http {

using spdy::FrameHead;
using spdy::FrameType;

namespace {

constexpr size_t kMaxStreams = 1000;  // at once, of one connection
constexpr uint32_t kStreamMask = 0x7fffffff;

}  // namespace

StreamId SpdyStreams::Open(const StreamHeaders& headers) {
  const StreamId id = next_;
  next_ += 2;
  streams_[id] = {};
  std::string payload;
  spdy::AppendUint32(payload, id);
  spdy::AppendUint32(payload, 0);  // associated with no other stream
  payload.append(2, '\0');         // priority and slot
  payload += deflater_.Compress(spdy::WriteHeaderBlock(headers));
  output_ += spdy::ControlFrame(FrameType::kSynStream, 0, payload);
  return id;
}

Result<void> SpdyStreams::Receive(std::string_view bytes, StreamEvents& events) {
  while (true) {
    if (data_left_ > 0) {
      const size_t size = std::min<size_t>(data_left_, bytes.size());
      if (size == 0) return {};
      const auto found = streams_.find(data_stream_);
      if (found != streams_.end() && found->second.receiving) events.OnData(data_stream_, bytes.substr(0, size));
      bytes.remove_prefix(size);
      data_left_ -= static_cast<uint32_t>(size);
      if (data_left_ > 0) return {};
      if (data_fin_) PeerEnded(data_stream_, events);
    }
    const auto fill = [&](size_t wanted) {
      const size_t size = std::min(wanted - std::min(wanted, pending_.size()), bytes.size());
      pending_ += bytes.substr(0, size);
      bytes.remove_prefix(size);
      return pending_.size() >= wanted;
    };
    if (!fill(spdy::kFrameHead)) return {};
    ASSIGN_OR_RETURN(const FrameHead head, spdy::ReadFrameHead(pending_));
    if (head.type == FrameType::kData) {
      pending_.clear();
      data_stream_ = head.stream;
      data_left_ = head.length;
      data_fin_ = (head.flags & spdy::kFlagFin) != 0;
      // A stream that is over here: the peer may not know yet, and a reset for each frame would only add to the load.
      if (data_left_ == 0 && data_fin_) PeerEnded(data_stream_, events);
      continue;
    }
    if (!fill(spdy::kFrameHead + head.length)) return {};
    const std::string frame = std::exchange(pending_, {});
    TRY(ReceiveControl(head, std::string_view(frame).substr(spdy::kFrameHead), events));
  }
}

Result<void> SpdyStreams::ReceiveControl(const FrameHead& head, std::string_view payload, StreamEvents& events) {
  const auto want = [&](size_t size) -> Result<void> {
    if (payload.size() >= size) return {};
    return Fail(Code::kInvalidArgument, "SPDY frame of type {} has {} bytes, expected {}", static_cast<int>(head.type),
                payload.size(), size);
  };
  switch (head.type) {
    case FrameType::kSynStream:
      return ReceiveSynStream(head, payload, events);
    case FrameType::kSynReply:
    case FrameType::kHeaders: {
      TRY(want(4));
      // What they say is of no use, but the zlib stream must not miss a block.
      TRY(inflater_.Expand(payload.substr(4)));
      if ((head.flags & spdy::kFlagFin) != 0) PeerEnded(spdy::ReadUint32(payload) & kStreamMask, events);
      return {};
    }
    case FrameType::kRstStream: {
      TRY(want(8));
      const StreamId id = spdy::ReadUint32(payload) & kStreamMask;
      if (streams_.erase(id) != 0) events.OnReset(id);
      return {};
    }
    case FrameType::kPing: {
      TRY(want(4));
      // Odd numbers are the client's; one of our own comes back as an answer.
      const bool of_peer = (spdy::ReadUint32(payload) % 2 == 1) == (side_ == Side::kServer);
      if (of_peer) output_ += spdy::ControlFrame(FrameType::kPing, 0, payload.substr(0, 4));
      return {};
    }
    case FrameType::kGoAway:
      events.OnClose();
      return {};
    default:
      return {};  // SETTINGS, WINDOW_UPDATE, CREDENTIAL and what is unknown
  }
}

Result<void> SpdyStreams::ReceiveSynStream(const FrameHead& head, std::string_view payload, StreamEvents& events) {
  constexpr size_t kBeforeHeaders = 10;  // stream, associated stream, priority, slot
  if (payload.size() < kBeforeHeaders) return Fail(Code::kInvalidArgument, "SPDY SYN_STREAM is cut short");
  const StreamId id = spdy::ReadUint32(payload) & kStreamMask;
  ASSIGN_OR_RETURN(const std::string block, inflater_.Expand(payload.substr(kBeforeHeaders)));
  ASSIGN_OR_RETURN(const StreamHeaders headers, spdy::ReadHeaderBlock(block));
  const bool of_peer = (id % 2 == 1) == (side_ == Side::kServer);
  if (!of_peer || id <= last_of_peer_) {
    return Fail(Code::kInvalidArgument, "SPDY stream {} cannot be opened by the peer after {}", id, last_of_peer_);
  }
  last_of_peer_ = id;
  if (closed_ || streams_.size() >= kMaxStreams) {
    AppendReset(id, spdy::kStatusRefusedStream);
    return {};
  }
  streams_[id] = {};
  std::string reply;
  spdy::AppendUint32(reply, id);
  reply += deflater_.Compress(spdy::WriteHeaderBlock({}));
  output_ += spdy::ControlFrame(FrameType::kSynReply, 0, reply);
  events.OnOpen(id, headers);
  if ((head.flags & spdy::kFlagFin) != 0) PeerEnded(id, events);
  return {};
}

void SpdyStreams::PeerEnded(StreamId id, StreamEvents& events) {
  const auto found = streams_.find(id);
  if (found == streams_.end() || !found->second.receiving) return;
  found->second.receiving = false;
  ForgetIfOver(id);
  events.OnEnd(id);
}

void SpdyStreams::ForgetIfOver(StreamId id) {
  const auto found = streams_.find(id);
  if (found != streams_.end() && !found->second.receiving && !found->second.sending) streams_.erase(found);
}

void SpdyStreams::Send(StreamId id, std::string_view data) {
  const auto found = streams_.find(id);
  if (found == streams_.end() || !found->second.sending) return;
  while (!data.empty()) {
    const size_t size = std::min(data.size(), spdy::kMaxDataFrame);
    output_ += spdy::DataFrame(id, data.substr(0, size), false);
    data.remove_prefix(size);
  }
}

void SpdyStreams::End(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end() || !found->second.sending) return;
  output_ += spdy::DataFrame(id, {}, true);
  found->second.sending = false;
  ForgetIfOver(id);
}

void SpdyStreams::Reset(StreamId id) {
  if (streams_.erase(id) != 0) AppendReset(id, spdy::kStatusCancel);
}

void SpdyStreams::AppendReset(StreamId id, uint32_t status) {
  std::string payload;
  spdy::AppendUint32(payload, id);
  spdy::AppendUint32(payload, status);
  output_ += spdy::ControlFrame(FrameType::kRstStream, 0, payload);
}

void SpdyStreams::Close() {
  if (std::exchange(closed_, true)) return;
  std::string payload;
  spdy::AppendUint32(payload, last_of_peer_);
  spdy::AppendUint32(payload, 0);  // OK
  output_ += spdy::ControlFrame(FrameType::kGoAway, 0, payload);
}

}  // namespace portcullis::http
