#include "http/stream/wire.h"

#include <sys/socket.h>

#include <algorithm>

#include "base/clock.h"
#include "base/try.h"

namespace portcullis::http {
namespace {

using std::chrono::milliseconds;

constexpr size_t kFull = 256u << 10;       // senders stop here
constexpr size_t kOverfull = 1024u << 10;  // answers to what the peer sends (pings) come on top; here reading stops
constexpr size_t kReadSize = 64u << 10;

}  // namespace

Wire::Wire(base::UniqueFd socket, std::string received, std::unique_ptr<Streams> streams,
           std::unique_ptr<TlsSession> tls)
    : socket_(std::move(socket)),
      received_(std::move(received)),
      streams_(std::move(streams)),
      tls_(std::move(tls)),
      last_moved_(base::Now()) {}

bool Wire::IsFull() const { return streams_->output().size() + (tls_ ? tls_->output().size() : 0) >= kFull; }

std::string& Wire::Output() {
  if (!tls_) return streams_->output();
  if (const std::string plain = std::exchange(streams_->output(), {}); !plain.empty()) tls_->Send(plain);
  return tls_->output();
}

milliseconds Wire::Idle() const { return std::chrono::duration_cast<milliseconds>(base::Now() - last_moved_); }

Result<void> Wire::Begin(StreamEvents& events) {
  streams_->Begin(events);
  return streams_->Receive(std::exchange(received_, {}), events);
}

void Wire::Watch(PollSet& set, bool receive) {
  short wanted = POLLRDHUP;
  const size_t waiting = Output().size();
  if (receive && waiting < kOverfull) wanted |= POLLIN;
  if (waiting > 0) wanted |= POLLOUT;
  index_ = set.Add(socket_.get(), wanted);
}

Result<void> Wire::Serve(const PollSet& set, StreamEvents& events) {
  const short ready = set.Ready(index_);
  if ((ready & (POLLIN | POLLERR)) != 0) {
    std::string buffer(kReadSize, '\0');
    const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n == 0) return Fail(Code::kUnavailable, "the peer has hung up");
    if (n < 0 && errno != EAGAIN && errno != EINTR)
      return Fail(Code::kUnavailable, "the connection is lost: {}", ErrnoText(errno));
    if (n > 0) {
      last_moved_ = base::Now();
      if (auto taken = Take(std::string_view(buffer).substr(0, static_cast<size_t>(n)), events); !taken) {
        static_cast<void>(
            Flush());  // the peer may be told why; if it cannot be, the reason here is the one that counts
        return taken;
      }
    }
  } else if ((ready & (POLLHUP | POLLRDHUP)) != 0) {
    return Fail(Code::kUnavailable, "the peer has hung up");
  }
  return Flush();
}

Result<void> Wire::Take(std::string_view bytes, StreamEvents& events) {
  if (!tls_) return streams_->Receive(bytes, events);
  std::string plain;
  TRY(tls_->Receive(bytes, plain));
  TRY(streams_->Receive(plain, events));
  if (tls_->HasPeerEnded()) return Fail(Code::kUnavailable, "the peer has hung up");
  return {};
}

Result<void> Wire::Flush() {
  std::string& output = Output();
  size_t written = 0;
  while (written < output.size()) {
    const ssize_t n =
        ::send(socket_.get(), output.data() + written, output.size() - written, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
      written += static_cast<size_t>(n);
      continue;
    }
    if (errno == EAGAIN || errno == EINTR) break;
    return Fail(Code::kUnavailable, "the connection is lost: {}", ErrnoText(errno));
  }
  if (written > 0) {
    output.erase(0, written);
    last_moved_ = base::Now();
  }
  return {};
}

void Wire::Farewell(milliseconds limit) {
  const auto deadline = base::Now() + limit;
  bool ending = false;
  bool told = false;
  // Closing a socket that holds unread bytes would throw away what the peer has not read yet.
  while (true) {
    if (!Flush()) return;
    if (Output().empty() && !std::exchange(ending, true) && tls_) {
      tls_->Close();
      continue;
    }
    if (Output().empty() && !std::exchange(told, true)) ::shutdown(socket_.get(), SHUT_WR);
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - base::Now());
    if (left.count() <= 0) return;
    PollSet set;
    const size_t index = set.Add(socket_.get(), static_cast<short>(POLLIN | (told ? 0 : POLLOUT)));
    if (!set.Wait(left)) return;
    if (set.Ready(index) == 0) continue;
    char buffer[4096];
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return;
  }
}

}  // namespace portcullis::http
