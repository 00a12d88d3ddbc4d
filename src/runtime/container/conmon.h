// Starts conmon and speaks its start and sync pipes.
//
// conmon waits for a byte on the start pipe, so that it can be moved to its own cgroup first: it and what it starts
// then never count as the daemon's. On the sync pipe it tells what came of it, one JSON line.
#pragma once

#include <chrono>
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
  // `argv` is the whole command line; `cgroup` is made and conmon moved into it before it does anything. It writes the
  // file `oom` into `working_dir` when the kernel kills for lack of memory.
  static Result<Conmon> Launch(std::vector<std::string> argv, const std::string& working_dir, const Cgroups& cgroups,
                               const std::string& cgroup);

  // The next message; kDeadlineExceeded when none comes in time (ask again), kInternal with conmon's own words when it
  // ends without one.
  Result<SyncMessage> ReadSync(std::chrono::milliseconds timeout);

  // Waits for the process that was launched: without --sync it ends as soon as the monitor is in the background.
  Result<int> WaitLaunched(std::chrono::milliseconds timeout) { return base::Wait(child_, timeout); }

  pid_t pid() const { return child_.pid; }

 private:
  Conmon(base::Child child, base::UniqueFd sync, base::UniqueFd output)
      : child_(std::move(child)), sync_(std::move(sync)), output_(std::move(output)) {}

  base::Child child_;
  base::UniqueFd sync_;
  base::UniqueFd output_;  // memory file with what conmon printed
  std::string pending_;
};

}  // namespace portcullis::runtime
