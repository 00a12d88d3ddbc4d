#include "node/source/cordon.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/files.h"
#include "base/try.h"

namespace portcullis::node {

std::string CordonFile(const std::string& root_dir) { return base::JoinPath(root_dir, "portcullis-cordoned"); }

Result<void> Cordon(const std::string& root_dir) {
  TRY(base::MakeDirs(root_dir, 0750));
  return base::WriteFileAtomic(CordonFile(root_dir),
                               "This node takes no pods. `portcullis uncordon` removes this file.\n", 0600);
}

Result<void> Uncordon(const std::string& root_dir) {
  const std::string path = CordonFile(root_dir);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FailErrno(errno, "remove {}", path);
  return {};
}

bool IsCordoned(const std::string& root_dir) { return base::Exists(CordonFile(root_dir)); }

CordonWatch::CordonWatch(std::string root_dir, Callback callback)
    : root_dir_(std::move(root_dir)), callback_(std::move(callback)) {}

CordonWatch::~CordonWatch() { Stop(); }

Result<void> CordonWatch::Start() {
  inotify_.Reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_.valid()) return FailErrno(errno, "watch {}: inotify_init1", root_dir_);
  if (::inotify_add_watch(inotify_.get(), root_dir_.c_str(), IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) < 0) {
    return FailErrno(errno, "watch {}", root_dir_);
  }
  stop_event_.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_event_.valid()) return FailErrno(errno, "watch {}: eventfd", root_dir_);
  told_ = IsCordoned(root_dir_);
  callback_(told_);
  thread_ = std::thread([this] { Run(); });
  return {};
}

void CordonWatch::Stop() {
  if (!thread_.joinable()) return;
  ::eventfd_write(stop_event_.get(), 1);
  thread_.join();
}

void CordonWatch::Run() {
  while (true) {
    pollfd fds[2] = {{inotify_.get(), POLLIN, 0}, {stop_event_.get(), POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0) continue;
    if (fds[1].revents != 0) return;
    alignas(inotify_event) char events[4096];
    while (::read(inotify_.get(), events, sizeof events) > 0) {
    }
    if (const bool now = IsCordoned(root_dir_); now != told_) {
      told_ = now;
      callback_(now);
    }
  }
}

}  // namespace portcullis::node
