#include "runtime/service/janitor.h"

namespace portcullis::runtime {

void Janitor::Soon(Chore chore) {
  const std::lock_guard lock(mutex_);
  chores_.push_back(std::move(chore));
  changed_.notify_all();
}

void Janitor::Every(std::chrono::milliseconds period, Chore chore) {
  const std::lock_guard lock(mutex_);
  round_ = std::move(chore);
  period_ = period;
  next_round_ = std::chrono::steady_clock::now() + period;
  changed_.notify_all();
}

Janitor::Chore Janitor::Next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!chores_.empty()) {
      Chore chore = std::move(chores_.front());
      chores_.pop_front();
      return chore;
    }
    const auto now = std::chrono::steady_clock::now();
    if (!round_) {
      changed_.wait(lock, stop, [&] { return !chores_.empty() || round_; });
    } else if (now < next_round_) {
      changed_.wait_until(lock, stop, next_round_, [&] { return !chores_.empty(); });
    } else {
      next_round_ = now + period_;
      return round_;
    }
  }
  return {};
}

void Janitor::Loop(const std::stop_token& stop) {
  while (const Chore chore = Next(stop)) chore();
}

}  // namespace portcullis::runtime
