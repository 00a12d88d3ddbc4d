#include "cri/grpc/thread_pool.h"

#include <system_error>
#include <thread>

#include "base/log.h"

namespace portcullis::cri {

ThreadPool::ThreadPool(size_t kept, size_t most) : kept_(kept), most_(most) {}

ThreadPool::~ThreadPool() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  ready_.notify_all();
  ended_.wait(lock, [this] { return threads_ == 0; });
}

void ThreadPool::Run(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(task));
  ready_.notify_one();
  if (queue_.size() <= idle_ || threads_ >= most_) return;
  try {
    std::thread([this] { Work(); }).detach();
    ++threads_;
  } catch (const std::system_error& error) {
    // The call waits for a thread that there is; without any it would wait for ever.
    if (threads_ == 0) throw;
    base::LogWarning("no thread for a call, it waits", {{"err", error.what()}});
  }
}

void ThreadPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    ready_.wait(lock, [this] { return closing_ || !queue_.empty() || idle_ > kept_; });
    --idle_;
    if (queue_.empty()) break;
    {
      const std::function<void()> task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
    }
    lock.lock();
  }
  --threads_;
  ended_.notify_all();
}

}  // namespace portcullis::cri
