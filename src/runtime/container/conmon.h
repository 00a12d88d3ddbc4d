// Starts conmon and speaks its start and sync pipes.
//
// conmon waits for a byte on the start pipe, so that it can be moved to its own cgroup first: it and what it starts
// then never count as the daemon's. On the sync pipe it tells what came of it, one JSON line.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/spawn.h"
#include "base/unique_fd.h"
#include "runtime/container/cgroups.h"
#include "runtime/container/runtime_message.h"

namespace portcullis::runtime {

class Conmon {
 public:
  // `argv` is the whole command line; it writes the file `oom` into `working_dir` when the kernel kills for lack of
  // memory. Makes `cgroup` and moves conmon there in the background, for the kernel takes 10 ms and more for a first
  // move (it waits for all processors); conmon does nothing before Release.
  static Result<Conmon> Start(std::vector<std::string> argv, const std::string& working_dir, const Cgroups& cgroups,
                              const std::string& cgroup);
  // Waits until it is in its cgroup. conmon does not tell the end of this process from the byte that it waits for, so
  // the bundle's config.json should come only now: without one it makes nothing.
  Result<void> Settle();
  // Lets it go on, once it is in its cgroup.
  Result<void> Release();

  Conmon(Conmon&&) = default;
  Conmon& operator=(Conmon&&) = delete;
  // Ends one that was never released.
  ~Conmon();

  // The next message; kDeadlineExceeded when none comes in time (ask again), kInternal with conmon's own words when it
  // ends without one.
  Result<SyncMessage> ReadSync(std::chrono::milliseconds timeout);

  // Waits for the process that was launched: without --sync it ends as soon as the monitor is in the background.
  Result<int> WaitLaunched(std::chrono::milliseconds timeout) { return base::Wait(child_, timeout); }

  pid_t pid() const { return child_.pid; }

 private:
  struct Waiting {
    base::UniqueFd start;  // pipe: a byte lets it go on
    std::future<Result<void>> moved;
  };
  Conmon(base::Child child, base::UniqueFd sync, base::UniqueFd output, std::unique_ptr<Waiting> waiting)
      : child_(std::move(child)), sync_(std::move(sync)), output_(std::move(output)), waiting_(std::move(waiting)) {}

  base::Child child_;
  base::UniqueFd sync_;
  base::UniqueFd output_;  // memory file with what conmon printed
  std::string pending_;
  std::unique_ptr<Waiting> waiting_;  // null once released
};

}  // namespace portcullis::runtime
