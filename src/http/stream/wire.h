// A socket, perhaps with TLS, under a Streams: moves bytes when poll(2) says so, never blocks, and bounds what waits.
//
//   while (...) {
//     PollSet set;
//     wire.Watch(set, /*receive=*/true);
//     TRY(set.Wait({}));
//     TRY(wire.Serve(set, events));              // kUnavailable: the peer is gone
//   }
//   wire.streams().Close();
//   wire.Farewell(std::chrono::seconds(5));
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/stream/poll_set.h"
#include "http/stream/streams.h"
#include "http/tls/tls_session.h"

namespace portcullis::http {

class Wire {
 public:
  // `received` are bytes of the connection that have been read (and decrypted) already. The socket must not block.
  // `tls`: what the connection is encrypted with, or none.
  Wire(base::UniqueFd socket, std::string received, std::unique_ptr<Streams> streams,
       std::unique_ptr<TlsSession> tls = nullptr);

  Streams& streams() { return *streams_; }

  // The peer is slow: send no more until it has caught up.
  bool IsFull() const;

  // Nothing has moved for so long.
  std::chrono::milliseconds Idle() const;

  // What was received before the first round; once.
  Result<void> Begin(StreamEvents& events);

  // `receive` false leaves what the peer sends in the kernel; that it is gone is still noticed.
  void Watch(PollSet& set, bool receive);
  Result<void> Serve(const PollSet& set, StreamEvents& events);

  // Writes what waits, tells the peer that no more comes, and waits until it hangs up; at most so long.
  void Farewell(std::chrono::milliseconds limit);

 private:
  Result<void> Take(std::string_view bytes, StreamEvents& events);
  Result<void> Flush();
  // What the socket is to carry.
  std::string& Output();

  base::UniqueFd socket_;
  std::string received_;
  std::unique_ptr<Streams> streams_;
  std::unique_ptr<TlsSession> tls_;
  size_t index_ = 0;
  std::chrono::steady_clock::time_point last_moved_;
};

}  // namespace portcullis::http
