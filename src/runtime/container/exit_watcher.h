// Learns of container exits from the files conmon writes: <exit dir>/<container id> holds the exit code.
//
//   ASSIGN_OR_RETURN(auto watcher, ExitWatcher::Start(runtime.ExitDir(), [&](const ContainerExitEvent& exit) { ... }));
//
// Files that are there at the start are reported too, so exits while the daemon was down are not lost. Each id is
// reported once, from the watcher's own thread; the file stays until OciRuntime::Delete removes it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/container/observer.h"

namespace portcullis::runtime {

using ExitCallback = std::function<void(const ContainerExitEvent&)>;

class ExitWatcher {
 public:
  // Makes the directory if it is missing.
  static Result<std::unique_ptr<ExitWatcher>> Start(std::string directory, ExitCallback callback);
  ~ExitWatcher();  // after it no callback runs
  ExitWatcher(const ExitWatcher&) = delete;
  ExitWatcher& operator=(const ExitWatcher&) = delete;

 private:
  ExitWatcher(std::string directory, base::UniqueFd inotify, base::UniqueFd wake, ExitCallback callback);
  void Loop();

  std::string directory_;
  base::UniqueFd inotify_;
  base::UniqueFd wake_;  // eventfd: written by the destructor
  ExitCallback callback_;
  std::thread thread_;
};

// The exit recorded for a container; nullopt while it has none. An unreadable or malformed file is an error.
Result<std::optional<ContainerExitEvent>> ReadExitFile(const std::string& directory, const std::string& id);

}  // namespace portcullis::runtime
