#include "runtime/container/exec_process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/container/exec_filter.h"
#include "runtime/container/oci_runtime.h"
#include "runtime/container/runtime_message.h"

namespace portcullis::runtime {
namespace {

constexpr std::chrono::milliseconds kReapTimeout = std::chrono::seconds(10);

Result<void> DoNotBlock(const base::UniqueFd& fd) {
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return FailErrno(errno, "set up the streams of an exec");
  return {};
}

struct Pipe {
  base::UniqueFd read;
  base::UniqueFd write;
};

Result<Pipe> MakePipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return FailErrno(errno, "make a pipe for an exec");
  return Pipe{base::UniqueFd(fds[0]), base::UniqueFd(fds[1])};
}

struct Terminal {
  base::UniqueFd ours;
  base::UniqueFd theirs;
};

// Theirs is raw: what it does to lines and control characters is up to the terminal inside the container.
Result<Terminal> MakeTerminal() {
  Terminal terminal;
  terminal.ours.Reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.ours.valid()) return FailErrno(errno, "make a terminal for an exec");
  int unlock = 0;
  if (::ioctl(terminal.ours.get(), TIOCSPTLCK, &unlock) != 0) return FailErrno(errno, "unlock a terminal");
  terminal.theirs.Reset(::ioctl(terminal.ours.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.theirs.valid()) return FailErrno(errno, "open the other side of a terminal");
  termios settings{};
  if (::tcgetattr(terminal.theirs.get(), &settings) != 0) return FailErrno(errno, "read the settings of a terminal");
  ::cfmakeraw(&settings);
  if (::tcsetattr(terminal.theirs.get(), TCSANOW, &settings) != 0) return FailErrno(errno, "set up a terminal");
  return terminal;
}

winsize WindowOf(TerminalSize size) { return {.ws_row = size.rows, .ws_col = size.columns}; }

// The terminal inside the container itself: crun (1.8.1) does not pass a new size on. What the process has as its
// standard input may be anything by now, so it is looked at before it is opened: only a pseudo-terminal is.
void ResizeInside(const std::string& pid_file, const winsize& window) {
  constexpr unsigned kFirstPts = 136;  // UNIX98_PTY_SLAVE_MAJOR and the seven after it, linux/major.h
  constexpr unsigned kLastPts = 143;
  const auto pid = base::ReadFile(pid_file, 64);
  if (!pid || !base::ParseUint(base::Trim(*pid))) return;
  const base::UniqueFd node(::open(fmt::format("/proc/{}/fd/0", base::Trim(*pid)).c_str(), O_PATH | O_CLOEXEC));
  struct stat info{};
  if (!node.valid() || ::fstat(node.get(), &info) != 0 || !S_ISCHR(info.st_mode)) return;
  if (major(info.st_rdev) < kFirstPts || major(info.st_rdev) > kLastPts) return;
  const std::string path = fmt::format("/proc/self/fd/{}", node.get());
  const base::UniqueFd terminal(::open(path.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (terminal.valid()) ::ioctl(terminal.get(), TIOCSWINSZ, &window);
}

std::string ReadRest(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n; text.size() < (64u << 10) && (n = ::read(fd, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

}  // namespace

Result<void> ExecProcess::Start(const Cgroups& cgroups, std::vector<std::string> command, const ExecStreams& options) {
  TRY(scope_.Make());
  terminal_ = options.process.terminal;
  const std::string process_file = scope_.folder + "/process.json";
  nlohmann::json process = oci::ToJson(options.process);
  if (terminal_ && options.size) {
    process["consoleSize"] = {{"height", options.size->rows}, {"width", options.size->columns}};
  }
  TRY(base::WriteFileAtomic(process_file, process.dump(), 0600, base::Lasting::kUntilReboot));
  command.insert(command.end(), {"exec", "--process", process_file, "--pid-file", scope_.folder + "/pidfile",
                                 "--cgroup=" + scope_.name, container_});
  base::SpawnOptions spawn;
  spawn.argv = std::move(command);
  spawn.working_dir = scope_.folder;
  spawn.new_session = true;

  std::vector<base::UniqueFd> theirs;
  const auto give = [&](base::UniqueFd& fd, int number) { spawn.fds.emplace_back(fd.get(), number); };
  if (terminal_) {
    ASSIGN_OR_RETURN(Terminal terminal, MakeTerminal());
    if (options.size) {
      const winsize window = WindowOf(*options.size);
      ::ioctl(terminal.ours.get(), TIOCSWINSZ, &window);
    }
    for (const int number : {0, 1, 2}) give(terminal.theirs, number);
    theirs.push_back(std::move(terminal.theirs));
    if (options.input) {
      input_.Reset(::fcntl(terminal.ours.get(), F_DUPFD_CLOEXEC, 3));
      if (!input_.valid()) return FailErrno(errno, "duplicate a terminal");
    }
    output_ = std::move(terminal.ours);
    TRY(DoNotBlock(output_));
  } else {
    if (options.input) {
      ASSIGN_OR_RETURN(Pipe in, MakePipe());
      give(in.read, 0);
      theirs.push_back(std::move(in.read));
      input_ = std::move(in.write);
      TRY(DoNotBlock(input_));
    }
    for (auto& [ours, number] : {std::pair{&output_, 1}, {&error_, 2}}) {
      ASSIGN_OR_RETURN(Pipe out, MakePipe());
      give(out.write, number);
      theirs.push_back(std::move(out.write));
      *ours = std::move(out.read);
      TRY(DoNotBlock(*ours));
    }
  }
  ASSIGN_OR_RETURN(child_, base::Spawn(spawn));
  // It has hardly begun; what it starts in the container goes to the container's cgroup by itself.
  auto moved = cgroups.AddProcess(scope_.conmon_cgroup, child_.pid);
  if (!moved && moved.error().sys_errno == ESRCH) return {};  // it has ended already
  return moved;
}

ExecProcess::~ExecProcess() {
  if (finished_ || child_.pid <= 0) return;
  scope_.KillAll();
  base::Discard(std::move(child_));
}

bool ExecProcess::HasStarted() {
  if (started_ || !base::Exists(scope_.folder + "/pidfile")) return started_;
  started_ = true;
  // The OCI runtime may have read the size before this one was set, and takes no signal that early.
  if (early_size_) static_cast<void>(Resize(*early_size_));
  return started_;
}

void ExecProcess::CloseInput() { input_.Reset(); }

Result<void> ExecProcess::Resize(TerminalSize size) {
  if (!terminal_ || !output_.valid()) return {};
  if (!started_) early_size_ = size;
  const winsize window = WindowOf(size);
  if (::ioctl(output_.get(), TIOCSWINSZ, &window) != 0) return FailErrno(errno, "resize the terminal of an exec");
  // The terminal is nobody's controlling one: its new size is told by hand.
  if (finished_) return {};
  ::kill(child_.pid, SIGWINCH);
  ResizeInside(scope_.folder + "/pidfile", window);
  return {};
}

Result<int> ExecProcess::Finish() {
  const bool started = HasStarted();
  ASSIGN_OR_RETURN(const int exit_code, base::Wait(child_, kReapTimeout));
  finished_ = true;
  if (started || HasStarted()) return exit_code;
  const std::string said = ReadRest(terminal_ ? output_.get() : error_.get());
  return Fail(Code::kUnknown, "exec in container {} failed: {}", container_, CleanRuntimeMessage(said));
}

Result<std::unique_ptr<ExecProcess>> OciRuntime::StartExec(const ContainerHandle& handle,
                                                           const ExecStreams& options) const {
  if (!base::Exists(RootDir() + "/" + handle.id))
    return Fail(Code::kNotFound, "container {} does not exist", handle.id);
  if (options.process.args.empty()) return Fail(Code::kInvalidArgument, "exec in container {}: no command", handle.id);
  if (auto filtered = CheckExecFilter(RootDir() + "/" + handle.id, handle.bundle); !filtered) {
    return Wrap(std::move(filtered).error(), "exec in container {}", handle.id);
  }
  if (observers_ != nullptr) observers_->Exec({handle.id, options.process.args});
  std::unique_ptr<ExecProcess> process(new ExecProcess(cgroups_, handle, ExecDir()));
  if (auto started = process->Start(cgroups_, {options_.program.path, "--root=" + RootDir()}, options); !started) {
    return Wrap(std::move(started).error(), "exec in container {} failed", handle.id);
  }
  return process;
}

Result<void> OciRuntime::EndStaleExecs() const {
  ExecScope::EndStale(cgroups_, ExecDir());
  return base::RemoveTree(ExecDir());
}

}  // namespace portcullis::runtime
