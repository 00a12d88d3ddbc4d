#include "runtime/container/exit_watcher.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

// conmon writes beside and renames; the name beside it has a dot.
bool IsContainerId(const std::string& name) { return !name.empty() && name.find('.') == std::string::npos; }

}  // namespace

Result<std::optional<ContainerExitEvent>> ReadExitFile(const std::string& directory, const std::string& id) {
  const std::string path = directory + "/" + id;
  struct stat info{};
  const auto text = base::ReadFile(path, 64);
  if (!text && text.error().sys_errno == ENOENT) return std::optional<ContainerExitEvent>();
  if (!text) return Failure(text.error());
  const std::optional<uint64_t> code = base::ParseUint(base::Trim(*text));
  if (!code || *code > 255)
    return Fail(Code::kDataLoss, "exit file {}: {} is not an exit code", path, base::Quote(*text));
  if (::stat(path.c_str(), &info) != 0) return FailErrno(errno, "stat {}", path);
  return std::optional(
      ContainerExitEvent{id, static_cast<int>(*code), info.st_mtim.tv_sec * kNanosPerSecond + info.st_mtim.tv_nsec});
}

Result<std::unique_ptr<ExitWatcher>> ExitWatcher::Start(std::string directory, ExitCallback callback,
                                                        std::chrono::milliseconds retry_pause) {
  TRY(base::MakeDirs(directory, 0700));
  base::UniqueFd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify.valid()) return FailErrno(errno, "watch {}: inotify_init1", directory);
  if (::inotify_add_watch(inotify.get(), directory.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
    return FailErrno(errno, "watch {}", directory);
  }
  base::UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return FailErrno(errno, "watch {}: eventfd", directory);
  std::unique_ptr<ExitWatcher> watcher(
      new ExitWatcher(std::move(directory), std::move(inotify), std::move(wake), std::move(callback), retry_pause));
  watcher->thread_ = std::thread([self = watcher.get()] { self->Loop(); });
  return watcher;
}

ExitWatcher::ExitWatcher(std::string directory, base::UniqueFd inotify, base::UniqueFd wake, ExitCallback callback,
                         std::chrono::milliseconds retry_pause)
    : directory_(std::move(directory)),
      inotify_(std::move(inotify)),
      wake_(std::move(wake)),
      callback_(std::move(callback)),
      retry_pause_(retry_pause) {}

ExitWatcher::~ExitWatcher() {
  const uint64_t one = 1;
  while (::write(wake_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  if (thread_.joinable()) thread_.join();
}

bool ExitWatcher::TellNew(std::set<std::string>& told) const {
  const auto names = base::ListDir(directory_);
  if (!names) {
    base::LogError("exit directory is unreadable", {{"error", names.error().message}});
    return false;
  }
  std::erase_if(told, [&](const std::string& id) { return !std::binary_search(names->begin(), names->end(), id); });
  bool all = true;
  for (const std::string& id : *names) {
    if (!IsContainerId(id) || told.contains(id)) continue;
    const auto exit = ReadExitFile(directory_, id);
    if (!exit) {
      base::LogWarning("exit file is unreadable", {{"container", id}, {"error", exit.error().message}});
      // Content that is no exit code stays so until it is written again, which is an event.
      if (exit.error().sys_errno != 0) all = false;
    } else if (*exit) {
      if (callback_(**exit)) {
        told.insert(id);
      } else {
        all = false;
      }
    }
  }
  return all;
}

void ExitWatcher::Loop() {
  // Ids whose file is there and has been told: a file that goes away makes its id new again.
  std::set<std::string> told;
  while (true) {
    // Every event means no more than "look": a queue that overflowed loses nothing.
    const int pause = TellNew(told) ? -1 : static_cast<int>(retry_pause_.count());
    pollfd fds[2] = {{inotify_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    while (::poll(fds, 2, pause) < 0 && errno == EINTR) {
    }
    if (fds[1].revents != 0) return;
    char buffer[16 * 1024];
    while (::read(inotify_.get(), buffer, sizeof buffer) > 0) {
    }
  }
}

}  // namespace portcullis::runtime
