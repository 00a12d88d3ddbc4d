#include "node/source/static_pod_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"

namespace portcullis::node {
namespace {

using std::chrono::milliseconds;
using Time = std::chrono::steady_clock::time_point;

// A burst of events (an editor's save: create, write, rename, delete) is one change.
constexpr milliseconds kQuiet(40);
// Whole files put in place by a rename leave nothing to wait for, but their neighbours of the same moment.
constexpr milliseconds kPlaced(4);
// How long a file that is open for writing is waited for, and the limit for all waiting together.
constexpr milliseconds kWriting(500);
constexpr milliseconds kLongest(800);

constexpr uint32_t kFolderEvents = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                   IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

bool SameFile(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

}  // namespace

StaticPodSource::StaticPodSource(StaticPodSourceOptions options, Callback callback)
    : options_(std::move(options)), path_(base::CleanPath(options_.path)), callback_(std::move(callback)) {}

StaticPodSource::~StaticPodSource() { Stop(); }

Result<void> StaticPodSource::Start() {
  inotify_.Reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_.valid()) return FailErrno(errno, "watch {}: inotify_init1", path_);
  stop_event_.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_event_.valid()) return FailErrno(errno, "watch {}: eventfd", path_);
  thread_ = std::thread([this] { Run(); });
  return {};
}

void StaticPodSource::Stop() {
  if (!thread_.joinable()) return;
  ::eventfd_write(stop_event_.get(), 1);
  thread_.join();
}

void StaticPodSource::Run() {
  Watch();
  Scan(true);
  Time next_listing = base::Now() + options_.check_frequency;
  bool pending = false;  // events came in since the last scan
  Time first_event;
  Time last_event;
  while (true) {
    Time now = base::Now();
    Time wake = std::min(next_listing, now + options_.watch_check);
    if (pending) {
      Time settled = last_event + (!being_written_.empty() ? kWriting : only_placed_ ? kPlaced : kQuiet);
      wake = std::min({wake, settled, first_event + kLongest});
      if (now >= std::min(settled, first_event + kLongest)) {
        pending = false;
        being_written_.clear();
        only_placed_ = true;
        Scan(false);
        continue;
      }
    }
    if (now >= next_listing) {
      Scan(true);
      next_listing = base::Now() + options_.check_frequency;
      continue;
    }
    pollfd fds[] = {{stop_event_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}};
    auto wait = std::chrono::ceil<milliseconds>(std::max(wake - now, Time::duration::zero()));
    ::poll(fds, 2, static_cast<int>(std::min<int64_t>(wait.count(), 60'000)));
    if (fds[0].revents != 0) return;
    if ((fds[1].revents & POLLIN) != 0 && DrainEvents()) {
      last_event = base::Now();
      if (!pending) first_event = last_event;
      pending = true;
    }
    if (Watch() && !pending) {  // waits as after an event: half a swap leaves nothing at the path for a moment
      first_event = last_event = base::Now();
      pending = true;
      only_placed_ = false;
    }
  }
}

// Watches the folder, or for a single file the folder it is in; anew when another folder has taken its place, of which
// the old watch tells nothing. True when a scan is due: the watch is new, or there is none.
bool StaticPodSource::Watch() {
  struct stat info{};
  if (::stat(path_.c_str(), &info) != 0) {
    LoseWatch();  // the store reports a path that is not there
    return true;
  }
  std::string folder = path_;
  std::string name;
  if (!S_ISDIR(info.st_mode)) {
    size_t slash = folder.rfind('/');
    name = slash == std::string::npos ? folder : folder.substr(slash + 1);
    folder = slash == std::string::npos ? "." : slash == 0 ? "/" : folder.substr(0, slash);
    if (::stat(folder.c_str(), &info) != 0) {
      LoseWatch();
      return true;
    }
  }
  watched_name_ = std::move(name);
  if (watch_ >= 0 && SameFile(info, watched_)) return false;
  LoseWatch();
  watched_ = info;
  watch_ = ::inotify_add_watch(inotify_.get(), folder.c_str(), kFolderEvents | IN_ONLYDIR);
  std::string problem = watch_ < 0 ? fmt::format("watch {}: {}", folder, ErrnoText(errno)) : "";
  if (!problem.empty() && problem != watch_problem_) {
    base::LogWarning("cannot watch manifests, they are looked at periodically",
                     {{"err", problem}, {"every", fmt::format("{}ms", options_.watch_check.count())}});
  }
  watch_problem_ = std::move(problem);
  // Replaced between stat and watch: which of the two is watched is not known.
  if (::stat(folder.c_str(), &info) != 0 || !SameFile(info, watched_)) LoseWatch();
  return true;
}

void StaticPodSource::LoseWatch() {
  if (watch_ >= 0) ::inotify_rm_watch(inotify_.get(), watch_);
  watch_ = -1;
}

void StaticPodSource::Scan(bool periodic) {
  bool changed =
      store_.Scan({.path = path_, .node_name = options_.node_name, .now = base::NowUnixNanos(), .periodic = periodic});
  if (changed) callback_(store_.update());
}

// True when something happened that may matter. Knows afterwards which files are being written.
bool StaticPodSource::DrainEvents() {
  bool matters = false;
  alignas(inotify_event) char buffer[16384];
  for (ssize_t size; (size = ::read(inotify_.get(), buffer, sizeof buffer)) > 0;) {
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        matters = true;
        only_placed_ = false;
      }
      if (event->wd != watch_) continue;
      if ((event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
        LoseWatch();
        matters = true;
        only_placed_ = false;
        continue;
      }
      std::string name = event->len > 0 ? event->name : "";
      if ((event->mask & IN_MOVED_TO) == 0 && !name.starts_with('.')) only_placed_ = false;
      if (!watched_name_.empty() && name != watched_name_) continue;
      matters = true;
      std::erase(being_written_, name);
      if ((event->mask & (IN_CREATE | IN_MODIFY)) != 0 && !name.starts_with('.')) being_written_.push_back(name);
    }
  }
  return matters;
}

}  // namespace portcullis::node
