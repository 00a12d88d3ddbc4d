// Tells of the end of processes that are nobody's children here, by their pidfds.
//
//   ASSIGN_OR_RETURN(auto watcher, ProcessWatcher::Start([&](const std::string& id) { ... }));
//   TRY(watcher->Watch(sandbox_id, std::move(pidfd)));
//
// Each end is told once, from the watcher's own thread; that of a process which ended before it was watched too.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::runtime {

class ProcessWatcher {
 public:
  using Callback = std::function<void(const std::string& id)>;

  static Result<std::unique_ptr<ProcessWatcher>> Start(Callback callback);
  ~ProcessWatcher();  // after it no callback runs
  ProcessWatcher(const ProcessWatcher&) = delete;
  ProcessWatcher& operator=(const ProcessWatcher&) = delete;

  Result<void> Watch(const std::string& id, base::UniqueFd pidfd);

 private:
  ProcessWatcher(base::UniqueFd epoll, base::UniqueFd wake, Callback callback);
  void Loop();

  base::UniqueFd epoll_;
  base::UniqueFd wake_;  // eventfd: written by the destructor
  Callback callback_;
  struct Watched {
    std::string id;
    base::UniqueFd pidfd;
  };
  std::mutex mutex_;
  std::map<int, Watched> watched_;  // by descriptor
  std::thread thread_;
};

}  // namespace portcullis::runtime
