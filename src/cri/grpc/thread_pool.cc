#include "cri/grpc/thread_pool.h"

#include "base/log.h"
#include "base/thread.h"

namespace portcullis::cri {

ThreadPool::ThreadPool(Limits limits) : limits_(limits) {}

ThreadPool::~ThreadPool() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  ready_.notify_all();
  changed_.wait(lock, [this] { return threads_ == 0; });
}

bool ThreadPool::Run(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= idle_ && !StartThread()) {
    // A task waits for a thread that there is; without any it would wait for ever.
    if (threads_ == 0 || queue_.size() - idle_ >= limits_.waiting) return false;
  }
  queue_.push_back(std::move(task));
  ready_.notify_one();
  return true;
}

bool ThreadPool::WaitIdle(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return queue_.empty() && idle_ == threads_; });
}

bool ThreadPool::StartThread() {
  if (threads_ >= limits_.threads) return false;
  auto thread = base::StartThread("answer a call", [this] { Work(); });
  if (!thread) {
    base::LogWarning("a call waits for another's thread", {{"err", thread.error().message}});
    return false;
  }
  thread->detach();
  ++threads_;
  ++idle_;
  return true;
}

void ThreadPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ready_.wait(lock, [this] { return closing_ || !queue_.empty() || idle_ > limits_.kept; });
    --idle_;
    if (queue_.empty()) break;
    {
      const std::function<void()> task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
    }
    lock.lock();
    ++idle_;
    changed_.notify_all();
  }
  --threads_;
  changed_.notify_all();
}

}  // namespace portcullis::cri
