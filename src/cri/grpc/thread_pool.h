// Threads that run blocking calls. There are as many as calls at work, up to a limit: an exec or a graceful stop may
// take minutes, and must not make a version or a listing wait. Beyond the limit calls wait in the order of their
// arrival.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace portcullis::cri {

class ThreadPool {
 public:
  // Up to `kept` idle threads stay for the next calls.
  ThreadPool(size_t kept, size_t most);
  ~ThreadPool();  // runs what is queued, then waits for the threads to end
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void Run(std::function<void()> task);

 private:
  void Work();

  const size_t kept_;
  const size_t most_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable ended_;
  std::deque<std::function<void()>> queue_;
  size_t threads_ = 0;
  size_t idle_ = 0;
  bool closing_ = false;
};

}  // namespace portcullis::cri
