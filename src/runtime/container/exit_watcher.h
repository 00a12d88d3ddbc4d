// Learns of container exits from the files conmon writes: <exit dir>/<container id> holds the exit code.
//
//   ASSIGN_OR_RETURN(auto watcher, ExitWatcher::Start(runtime.ExitDir(), [&](const ContainerExitEvent& exit) { ... }));
//
// Files that are there at the start are reported too, so exits while the daemon was down are not lost. Each id is
// reported until the callback has dealt with it, from the watcher's own thread; the file stays until OciRuntime::Delete
// removes it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/container/observer.h"

namespace portcullis::runtime {

// False when it could not be dealt with: it is told again after a pause.
using ExitCallback = std::function<bool(const ContainerExitEvent&)>;

inline constexpr std::chrono::milliseconds kExitRetryPause{1000};

class ExitWatcher {
 public:
  // Makes the directory if it is missing.
  static Result<std::unique_ptr<ExitWatcher>> Start(std::string directory, ExitCallback callback,
                                                    std::chrono::milliseconds retry_pause = kExitRetryPause);
  ~ExitWatcher();  // after it no callback runs
  ExitWatcher(const ExitWatcher&) = delete;
  ExitWatcher& operator=(const ExitWatcher&) = delete;

 private:
  ExitWatcher(std::string directory, base::UniqueFd inotify, base::UniqueFd wake, ExitCallback callback,
              std::chrono::milliseconds retry_pause);
  void Loop();
  // Tells what is new; false when something could not be read or dealt with.
  bool TellNew(std::set<std::string>& told) const;

  std::string directory_;
  base::UniqueFd inotify_;
  base::UniqueFd wake_;  // eventfd: written by the destructor
  ExitCallback callback_;
  std::chrono::milliseconds retry_pause_;
  std::thread thread_;
};

// The exit recorded for a container; nullopt while it has none. An unreadable or malformed file is an error.
Result<std::optional<ContainerExitEvent>> ReadExitFile(const std::string& directory, const std::string& id);

}  // namespace portcullis::runtime
