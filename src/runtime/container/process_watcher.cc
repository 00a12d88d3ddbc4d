#include "runtime/container/process_watcher.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

#include "base/try.h"

namespace portcullis::runtime {
namespace {

Result<void> Add(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) return FailErrno(errno, "watch a process");
  return {};
}

}  // namespace

Result<std::unique_ptr<ProcessWatcher>> ProcessWatcher::Start(Callback callback) {
  base::UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  base::UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll.valid() || !wake.valid()) return FailErrno(errno, "watch processes");
  TRY(Add(epoll.get(), wake.get()));
  std::unique_ptr<ProcessWatcher> watcher(new ProcessWatcher(std::move(epoll), std::move(wake), std::move(callback)));
  watcher->thread_ = std::thread([self = watcher.get()] { self->Loop(); });
  return watcher;
}

ProcessWatcher::ProcessWatcher(base::UniqueFd epoll, base::UniqueFd wake, Callback callback)
    : epoll_(std::move(epoll)), wake_(std::move(wake)), callback_(std::move(callback)) {}

ProcessWatcher::~ProcessWatcher() {
  const uint64_t one = 1;
  while (::write(wake_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  if (thread_.joinable()) thread_.join();
}

Result<void> ProcessWatcher::Watch(const std::string& id, base::UniqueFd pidfd) {
  const int fd = pidfd.get();
  const std::lock_guard lock(mutex_);
  watched_[fd] = {id, std::move(pidfd)};
  auto added = Add(epoll_.get(), fd);
  if (!added) watched_.erase(fd);
  return added;
}

void ProcessWatcher::Loop() {
  std::array<epoll_event, 64> events;
  while (true) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == wake_.get()) return;
      Watched ended;
      {
        const std::lock_guard lock(mutex_);
        auto found = watched_.extract(fd);
        if (found.empty()) continue;
        ended = std::move(found.mapped());
      }
      callback_(ended.id);
    }
  }
}

}  // namespace portcullis::runtime
