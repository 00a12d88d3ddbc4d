// The descriptors of one round of poll(2).
//
//   PollSet set;                                  // each round
//   const auto in = set.Add(fd, POLLIN);
//   TRY(set.Wait(std::chrono::seconds(1)));
//   if (set.Ready(in)) ...
#pragma once

#include <poll.h>

#include <chrono>
#include <optional>
#include <vector>

#include "base/result.h"

namespace portcullis::http {

class PollSet {
 public:
  // Errors and hang-ups are always watched for.
  size_t Add(int fd, short events);
  // Until something is ready or the time is over; absent: no limit. An interrupting signal counts as nothing ready.
  Result<void> Wait(std::optional<std::chrono::milliseconds> timeout);
  // What poll said, 0 for nothing.
  short Ready(size_t index) const { return fds_[index].revents; }

 private:
  std::vector<pollfd> fds_;
};

}  // namespace portcullis::http
