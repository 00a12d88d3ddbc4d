// Several byte streams over one connection, whatever the transport: SPDY/3.1 (spdy_streams.h), channels over WebSocket
// (websocket_channels.h), SPDY inside WebSocket (websocket_tunnel.h). Values in, values out: bytes of the connection go
// into Receive, bytes for it come out of output(). Wire (wire.h) moves them over a socket.
//
//   streams.Receive(bytes, events);            // events.OnData(3, "ls\n") ...
//   streams.Send(5, "a  b\n");
//   streams.End(5);
//
// Nothing here waits: who sends looks at output().size() first and stops when the peer is slow.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::http {

enum class Side { kClient, kServer };

using StreamId = uint32_t;
using StreamHeaders = std::map<std::string, std::string>;  // names in lower case

// What the peer does.
class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  virtual void OnOpen(StreamId id, const StreamHeaders& headers) = 0;
  virtual void OnData(StreamId id, std::string_view data) = 0;
  virtual void OnEnd(StreamId id) = 0;    // it will send no more on this stream
  virtual void OnReset(StreamId id) = 0;  // the stream is over in both directions
  virtual void OnClose() = 0;             // it takes leave of the connection
};

class Streams {
 public:
  virtual ~Streams() = default;

  // Where the transport fixes its streams beforehand, they open here. Once, before Receive.
  virtual void Begin(StreamEvents& events) = 0;

  // The next bytes of the connection, cut anywhere. An error ends the connection: the peer broke the protocol, and
  // output() may tell it so.
  virtual Result<void> Receive(std::string_view bytes, StreamEvents& events) = 0;

  // On a stream that is unknown, ended or reset they do nothing: it may have gone while the caller was at work.
  virtual void Send(StreamId id, std::string_view data) = 0;
  virtual void End(StreamId id) = 0;
  virtual void Reset(StreamId id) = 0;

  // Takes leave; what was sent before still arrives.
  virtual void Close() = 0;

  // The streams are those of the beginning, and the peer ends them with the connection at the latest, perhaps not
  // before.
  virtual bool IsFixed() const = 0;

  // What the connection is to carry; the caller removes what has been written from its front.
  virtual std::string& output() = 0;
};

}  // namespace portcullis::http
