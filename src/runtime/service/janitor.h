// A thread for what has to be done soon, or again and again, and must keep nobody waiting.
//
//   Janitor janitor;
//   janitor.Soon([&] { ... });                              // once, after those before it
//   janitor.Every(std::chrono::seconds(10), [&] { ... });   // at most one; the first time after the pause
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace portcullis::runtime {

class Janitor {
 public:
  using Chore = std::function<void()>;

  Janitor() : thread_([this](const std::stop_token& stop) { Loop(stop); }) {}
  // Chores that have not begun are dropped: after it none runs.
  ~Janitor() = default;
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

  void Soon(Chore chore);
  void Every(std::chrono::milliseconds period, Chore chore);

 private:
  void Loop(const std::stop_token& stop);
  // The next thing to do; waits for it. Empty when the thread is to end.
  Chore Next(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Chore> chores_;
  Chore round_;
  std::chrono::milliseconds period_{0};
  std::chrono::steady_clock::time_point next_round_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace portcullis::runtime
