// logs.
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <ostream>

#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl/log_reader.h"
#include "cli/crictl/log_time.h"
#include "cli/crictl/select.h"
#include "cli/crictl/verbs.h"

namespace portcullis::cli {
namespace {

constexpr int kStateCheckMilliseconds = 1000;  // how late the end of a container that writes nothing is noticed

// The attempts of a container have their logs side by side: .../NAME/0.log, .../NAME/1.log
Result<std::string> PreviousLog(const cri::ContainerStatus& status) {
  const uint32_t attempt = status.metadata ? status.metadata->attempt : 0;
  if (attempt == 0) {
    return Fail(Code::kNotFound, "container {} has no previous instance: this is its first", TruncateId(status.id));
  }
  const std::filesystem::path path(status.log_path);
  if (path.filename() != std::to_string(attempt) + ".log") {
    return Fail(Code::kNotFound,
                "the log {} of container {} is not named after its attempt {}, so the previous one is unknown",
                status.log_path, TruncateId(status.id), attempt);
  }
  return (path.parent_path() / (std::to_string(attempt - 1) + ".log")).string();
}

// Sleeps until something in the folder of the log changes, or for kStateCheckMilliseconds.
class FolderWatch {
 public:
  static Result<FolderWatch> Open(const std::string& folder) {
    base::UniqueFd fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!fd.valid()) return FailErrno(errno, "watch {}", folder);
    if (inotify_add_watch(fd.get(), folder.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
      return FailErrno(errno, "watch {}", folder);
    }
    return FolderWatch(std::move(fd));
  }

  void Wait() {
    pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, kStateCheckMilliseconds) <= 0) return;
    std::array<char, 4096> events;
    while (read(fd_.get(), events.data(), events.size()) > 0) {
    }
  }

 private:
  explicit FolderWatch(base::UniqueFd fd) : fd_(std::move(fd)) {}
  base::UniqueFd fd_;
};

Result<bool> IsRunning(Session& session, const std::string& id) {
  auto response = session.runtime.ContainerStatus({.container_id = id});
  if (!response && response.error().code == Code::kNotFound) return false;
  if (!response) return Wrap(std::move(response).error(), "get the status of container {}", base::Quote(id));
  return response->status && response->status->state == cri::ContainerState::kContainerRunning;
}

Result<void> Follow(Session& session, const std::string& id, const std::string& path, LogFile& file,
                    LogPrinter& printer, const std::function<bool(std::string_view)>& print) {
  ASSIGN_OR_RETURN(FolderWatch watch, FolderWatch::Open(std::filesystem::path(path).parent_path().string()));
  while (!printer.LimitReached()) {
    ASSIGN_OR_RETURN(const bool running, IsRunning(session, id));  // before reading: nothing is written after the end
    TRY(file.ReadLines(print));
    session.out.flush();
    session.err.flush();
    ASSIGN_OR_RETURN(const bool rotated, file.ReopenIfRotated());
    if (rotated) continue;
    if (!running || !session.out.good()) return {};
    watch.Wait();
  }
  return {};
}

}  // namespace

Result<void> ShowLogs(Session& session, const LogsOptions& options) {
  if (!options.stream.empty() && options.stream != "stdout" && options.stream != "stderr") {
    return Fail(Code::kInvalidArgument, "invalid stream {}, must be \"stdout\" or \"stderr\"",
                base::Quote(options.stream));
  }
  if (!options.stream.empty() && options.tail >= 0) {
    return Fail(Code::kInvalidArgument, "--tail and --stream are mutually exclusive");
  }
  LogPrintOptions print_options{
      .limit_bytes = options.limit_bytes, .timestamps = options.timestamps, .stream = options.stream};
  if (!options.since.empty()) {
    ASSIGN_OR_RETURN(print_options.since, ParseSince(options.since, session.now()));
  }
  ASSIGN_OR_RETURN(const std::string id, ResolveContainer(session, options.id));
  if (options.reopen) {
    auto reopened = session.runtime.ReopenContainerLog({.container_id = id});
    if (!reopened) return Wrap(std::move(reopened).error(), "reopen the log of container {}", base::Quote(id));
  }
  auto response = session.runtime.ContainerStatus({.container_id = id});
  if (!response) return Wrap(std::move(response).error(), "get the status of container {}", base::Quote(id));
  const cri::ContainerStatus status = response->status.value_or(cri::ContainerStatus{});
  if (status.log_path.empty()) return Fail(Code::kNotFound, "container {} has no log path", base::Quote(id));
  std::string path = status.log_path;
  if (options.previous) {
    ASSIGN_OR_RETURN(path, PreviousLog(status));
  }

  ASSIGN_OR_RETURN(LogFile file, LogFile::Open(path));
  LogPrinter printer(session.out, session.err, print_options);
  const auto print = [&](std::string_view line) {
    printer.Add(line);
    return !printer.LimitReached();
  };
  if (options.tail >= 0) TRY(file.SeekTail(options.tail));
  TRY(file.ReadLines(print));
  if (options.follow && !options.previous && !printer.LimitReached()) {
    TRY(Follow(session, id, path, file, printer, print));
  }
  const std::string rest = file.TakeRest();
  if (!rest.empty() && !printer.LimitReached()) printer.Add(rest);
  return {};
}

}  // namespace portcullis::cli
