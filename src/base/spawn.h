// Starting other programs: no fork in threaded code but inside here, pidfds for waiting, a deadline for all.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::base {

struct SpawnOptions {
  std::vector<std::string> argv;
  std::string program;                          // "": argv[0]; looked up in PATH unless it has a slash
  std::optional<std::vector<std::string>> env;  // "NAME=value"; the caller's environment when absent
  std::vector<std::pair<int, int>> fds;         // (ours, number in the child); all others are closed on exec
  std::string working_dir;
  bool new_session = false;  // setsid
};

struct Child {
  pid_t pid = -1;
  UniqueFd pidfd;
};

inline const std::string& ProgramOf(const SpawnOptions& options) {
  return options.program.empty() ? options.argv[0] : options.program;
}

// Starts the program; stdin is /dev/null and stdout/stderr are inherited unless `fds` maps them.
// Through the spawner (spawner.h) when one was started.
Result<Child> Spawn(const SpawnOptions& options);

// Waits for exit and reaps: the exit code, or 128+signal. kDeadlineExceeded leaves the child running.
Result<int> Wait(Child& child, std::chrono::milliseconds timeout);

// Kills the child's process group and reaps it, at the latest when a later child starts: a process in an
// uninterruptible wait ends when its kernel call does, and nobody may wait that long.
void Discard(Child child);

struct CommandResult {
  int exit_code = 0;  // 128+signal when killed
  std::string out;
  std::string err;
};

struct CommandOptions {
  SpawnOptions spawn;
  std::string input;  // written to the child's stdin
  std::chrono::milliseconds timeout{std::chrono::seconds(60)};
  size_t max_output = 16u << 20;  // per stream; more is an error
  // Called once when the deadline passes, before the child's process group is killed (kill a whole cgroup here).
  std::function<void()> on_timeout;
};

// Runs a program to its end and gathers its output. The error is about starting it, the deadline (kDeadlineExceeded)
// or output over the limit; a non-zero exit is a result, not an error.
Result<CommandResult> RunCommand(const CommandOptions& options);

}  // namespace portcullis::base
