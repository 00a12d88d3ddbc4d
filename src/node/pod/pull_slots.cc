#include "node/pod/pull_slots.h"

namespace portcullis::node {

PullSlots::Place::Place(PullSlots& slots) : slots_(slots) {
  std::unique_lock lock(slots_.mutex_);
  const uint64_t number = slots_.came_++;
  slots_.freed_.wait(lock, [&] { return slots_.limit_ == 0 || number < slots_.gone_ + slots_.limit_; });
}

PullSlots::Place::~Place() {
  {
    const std::lock_guard lock(slots_.mutex_);
    ++slots_.gone_;
  }
  slots_.freed_.notify_all();
}

}  // namespace portcullis::node
