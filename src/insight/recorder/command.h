// The command that is recorded: a child that waits until the recorder is ready for it, and whose end is told as a shell
// would tell it.
//
//   ASSIGN_OR_RETURN(Command command, Command::Prepare({"redis-server", "--port", "0"}, {}));
//   TRY(recorder->FollowProcess(workload, command.pidfd()));
//   TRY(command.Start());
//   const int status = command.ExitStatus(...);
//
// Only in a process with one thread: the child is forked and not yet another program.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::insight {

class Command {
 public:
  // `before_exec` runs in the child, when it was started, just before execve; it returns 0 or an errno.
  static Result<Command> Prepare(const std::vector<std::string>& argv, std::function<int()> before_exec = {});
  Command(Command&&) = default;
  Command& operator=(Command&&) = delete;
  // A command that was not started ends.
  ~Command() = default;

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }

  // Lets it run. The error is that of execve, as a shell says it; the child is then gone.
  Result<void> Start();
  // Lets it run without waiting for execve: for whoever must trace it. StartError tells what became of it.
  Result<void> Release();
  Result<void> StartError();

 private:
  Command() = default;

  std::string name_;
  pid_t pid_ = -1;
  base::UniqueFd pidfd_;
  base::UniqueFd go_;     // a byte starts it
  base::UniqueFd error_;  // its errno, when it cannot be executed
};

// What a shell makes of waitpid's status: the exit code, or 128+signal.
int ShellStatus(int wait_status);

}  // namespace portcullis::insight
