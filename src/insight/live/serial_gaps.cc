#include "insight/live/serial_gaps.h"

namespace portcullis::insight {

void SerialGaps::Seen(uint64_t serial) {
  if (serial == 0) return;
  if (highest_ == 0) {
    highest_ = serial;
    return;
  }
  if (serial <= highest_) {
    open_.erase(serial);
    return;
  }
  const uint64_t skipped = serial - highest_ - 1;
  if (skipped > kMaxOpen) {
    given_up_ += skipped;
  } else {
    for (uint64_t one = highest_ + 1; one < serial; ++one) open_.insert(open_.end(), one);
  }
  highest_ = serial;
  while (open_.size() > kMaxOpen) {
    open_.erase(open_.begin());
    ++given_up_;
  }
}

}  // namespace portcullis::insight
