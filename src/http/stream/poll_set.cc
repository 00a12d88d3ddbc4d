#include "http/stream/poll_set.h"

#include <algorithm>

namespace portcullis::http {

size_t PollSet::Add(int fd, short events) {
  fds_.push_back({fd, events, 0});
  return fds_.size() - 1;
}

Result<void> PollSet::Wait(std::optional<std::chrono::milliseconds> timeout) {
  const int millis = timeout ? static_cast<int>(std::clamp<int64_t>(timeout->count(), 0, 1 << 30)) : -1;
  if (::poll(fds_.data(), fds_.size(), millis) >= 0) return {};
  if (errno != EINTR) return FailErrno(errno, "poll");
  for (pollfd& fd : fds_) fd.revents = 0;
  return {};
}

}  // namespace portcullis::http
