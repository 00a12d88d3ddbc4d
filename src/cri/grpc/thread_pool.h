// Threads that run blocking calls: as many as calls at work, up to a limit. Beyond it a number of calls may wait in the
// order of their arrival; the next ones are refused.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace portcullis::cri {

class ThreadPool {
 public:
  struct Limits {
    size_t kept = 4;     // idle threads that stay for the next calls
    size_t threads = 0;  // at once
    size_t waiting = 0;  // calls without a thread
  };

  explicit ThreadPool(Limits limits);
  ~ThreadPool();  // runs what waits, and returns when the last thread has ended
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False: refused, the task will not be run.
  [[nodiscard]] bool Run(std::function<void()> task);

  // Until no task runs or waits; false when that is not so by `deadline`.
  [[nodiscard]] bool WaitIdle(std::chrono::steady_clock::time_point deadline);

 private:
  bool StartThread();
  void Work();

  const Limits limits_;
  std::mutex mutex_;
  std::condition_variable ready_;    // a task or the end has come
  std::condition_variable changed_;  // a task or a thread has ended
  std::deque<std::function<void()>> queue_;
  size_t threads_ = 0;
  size_t idle_ = 0;  // of them those that look at the queue next
  bool closing_ = false;
};

}  // namespace portcullis::cri
