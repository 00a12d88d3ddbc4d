#include "insight/recorder/command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/try.h"

namespace portcullis::insight {
namespace {

constexpr int kCannotExecute = 126;

[[noreturn]] void RunChild(const std::vector<char*>& argv, int go, int error, const std::function<int()>& before_exec) {
  char byte = 0;
  if (::read(go, &byte, 1) != 1) ::_exit(kCannotExecute);  // the recorder is gone
  int failed = before_exec ? before_exec() : 0;
  if (failed == 0) {
    ::execvp(argv[0], argv.data());
    failed = errno;
  }
  (void)!::write(error, &failed, sizeof(failed));
  ::_exit(kCannotExecute);
}

}  // namespace

Result<Command> Command::Prepare(const std::vector<std::string>& argv, std::function<int()> before_exec) {
  if (argv.empty()) return Fail(Code::kInvalidArgument, "no command to record");
  std::array<int, 2> go = {};
  std::array<int, 2> error = {};
  if (::pipe2(go.data(), O_CLOEXEC) != 0) return FailErrno(errno, "pipe");
  base::UniqueFd go_read(go[0]);
  Command command;
  command.name_ = argv[0];
  command.go_ = base::UniqueFd(go[1]);
  if (::pipe2(error.data(), O_CLOEXEC) != 0) return FailErrno(errno, "pipe");
  command.error_ = base::UniqueFd(error[0]);
  const base::UniqueFd error_write(error[1]);

  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  command.pid_ = ::fork();
  if (command.pid_ < 0) return FailErrno(errno, "fork");
  if (command.pid_ == 0) {
    ::close(go[1]);
    RunChild(pointers, go[0], error[1], before_exec);
  }
  command.pidfd_ = base::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, command.pid_, 0)));
  if (!command.pidfd_.valid()) return FailErrno(errno, "pidfd_open {}", command.pid_);
  return command;
}

Result<void> Command::Release() {
  const char byte = 'g';
  if (::write(go_.get(), &byte, 1) != 1) return FailErrno(errno, "start {}", name_);
  go_.Reset();
  return {};
}

Result<void> Command::StartError() {
  int failed = 0;
  ssize_t size = 0;
  do {
    size = ::read(error_.get(), &failed, sizeof(failed));
  } while (size < 0 && errno == EINTR);
  if (size == sizeof(failed)) return FailErrno(failed, "cannot run {}", name_);
  return {};
}

Result<void> Command::Start() {
  TRY(Release());
  auto started = StartError();
  if (!started) ::waitpid(pid_, nullptr, 0);
  return started;
}

int ShellStatus(int wait_status) {
  if (WIFSIGNALED(wait_status)) return 128 + WTERMSIG(wait_status);
  return WEXITSTATUS(wait_status);
}

}  // namespace portcullis::insight
