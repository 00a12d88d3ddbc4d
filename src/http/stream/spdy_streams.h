// SPDY/3.1 as Kubernetes uses it (moby/spdystream): streams that either side opens, half-close, PING, RST_STREAM and
// GOAWAY. There is no flow control but the connection's own; SETTINGS, HEADERS and WINDOW_UPDATE are read and ignored.
#pragma once

#include <map>

#include "http/stream/spdy_frames.h"
#include "http/stream/streams.h"

namespace portcullis::http {

class SpdyStreams : public Streams {
 public:
  explicit SpdyStreams(Side side) : side_(side), next_(side == Side::kClient ? 1 : 2) {}

  // SYN_STREAM; the peer's SYN_REPLY is not waited for. Ids: odd from the client, even from the server.
  StreamId Open(const StreamHeaders& headers);

  void Begin(StreamEvents&) override {}
  Result<void> Receive(std::string_view bytes, StreamEvents& events) override;
  void Send(StreamId id, std::string_view data) override;
  void End(StreamId id) override;
  void Reset(StreamId id) override;
  void Close() override;
  bool IsFixed() const override { return false; }
  std::string& output() override { return output_; }

 private:
  struct Stream {
    bool sending = true;    // we may send
    bool receiving = true;  // the peer may send
  };

  Result<void> ReceiveControl(const spdy::FrameHead& head, std::string_view payload, StreamEvents& events);
  Result<void> ReceiveSynStream(const spdy::FrameHead& head, std::string_view payload, StreamEvents& events);
  void PeerEnded(StreamId id, StreamEvents& events);
  void ForgetIfOver(StreamId id);
  void AppendReset(StreamId id, uint32_t status);

  const Side side_;
  StreamId next_;
  StreamId last_of_peer_ = 0;
  bool closed_ = false;
  std::map<StreamId, Stream> streams_;
  spdy::HeaderDeflater deflater_;
  spdy::HeaderInflater inflater_;
  std::string output_;

  // Of the frame that is being received.
  std::string pending_;       // a head, or a control frame, that is not whole yet
  StreamId data_stream_ = 0;  // while data_left_ > 0 or its end is still to be told
  uint32_t data_left_ = 0;
  bool data_fin_ = false;
};

}  // namespace portcullis::http
