#include "base/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

#include "base/clock.h"
#include "base/spawner.h"
#include "base/try.h"

extern char** environ;

namespace portcullis::base {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

// posix_spawn's two attribute objects, freed on every way out.
struct Attributes {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attr;
  Attributes() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
  }
  ~Attributes() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> MakePipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return FailErrno(errno, "make a pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// Children that did not end soon after SIGKILL, until they can be reaped.
class Leftovers {
 public:
  void Add(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pids_.push_back(pid);
  }
  void Reap() {
    const std::lock_guard lock(mutex_);
    std::erase_if(pids_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  }

 private:
  std::mutex mutex_;
  std::vector<pid_t> pids_;
};

Leftovers& TheLeftovers() {
  static Leftovers leftovers;
  return leftovers;
}

// The end of `text`, at most `max_bytes`, beginning with a whole UTF-8 character.
std::string_view Tail(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  text.remove_prefix(text.size() - max_bytes);
  while (!text.empty() && (static_cast<unsigned char>(text[0]) & 0xC0) == 0x80) text.remove_prefix(1);
  return text;
}

int MillisLeft(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

int ExitCode(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

// As write(2), but a reader that is gone is EPIPE alone, whatever the process does about SIGPIPE. The signal is sent to
// the thread that writes, so it can be held back and taken there.
ssize_t WriteWithoutSignal(int fd, std::string_view data) {
  sigset_t pipe;
  sigset_t before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
  const ssize_t written = ::write(fd, data.data(), data.size());
  const int error = errno;
  if (written < 0 && error == EPIPE && sigismember(&before, SIGPIPE) == 0) {
    const timespec at_once{};
    while (::sigtimedwait(&pipe, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

// Gathers output and feeds input until the streams end; kDeadlineExceeded when the time is over.
Result<void> Pump(const CommandOptions& options, std::chrono::steady_clock::time_point deadline, Pipe& in, Pipe& out,
                  Pipe& err, CommandResult& result) {
  size_t written = 0;
  if (options.input.empty()) in.write.Reset();
  // A blocking write of more than the pipe holds would wait for the child, whatever the deadline says.
  if (in.write.valid() && ::fcntl(in.write.get(), F_SETFL, O_NONBLOCK) != 0) {
    return FailErrno(errno, "run {}: set up its input", options.spawn.argv[0]);
  }
  std::string buffer(64 * 1024, '\0');
  const auto drain = [&](Pipe& pipe, std::string& sink) -> Result<void> {
    const ssize_t n = ::read(pipe.read.get(), buffer.data(), buffer.size());
    if (n == 0) pipe.read.Reset();
    if (n > 0) sink.append(buffer.data(), static_cast<size_t>(n));
    if (sink.size() > options.max_output) {
      return Fail(Code::kResourceExhausted, "run {}: more than {} bytes of output", options.spawn.argv[0],
                  options.max_output);
    }
    return {};
  };
  while (out.read.valid() || err.read.valid()) {
    pollfd fds[3] = {{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}, {in.write.get(), POLLOUT, 0}};
    const int ready = ::poll(fds, 3, MillisLeft(deadline));
    if (ready < 0 && errno != EINTR) return FailErrno(errno, "run {}: poll", options.spawn.argv[0]);
    if (ready == 0)
      return Fail(Code::kDeadlineExceeded, "run {}: no end after {} ms", options.spawn.argv[0],
                  options.timeout.count());
    if (ready < 0) continue;
    if (fds[0].revents != 0) TRY(drain(out, result.out));
    if (fds[1].revents != 0) TRY(drain(err, result.err));
    if (fds[2].revents != 0) {
      const ssize_t n = WriteWithoutSignal(in.write.get(), std::string_view(options.input).substr(written));
      if (n > 0) written += static_cast<size_t>(n);
      const bool later = n < 0 && (errno == EAGAIN || errno == EINTR);
      if ((n < 0 && !later) || written == options.input.size()) in.write.Reset();
    }
  }
  return {};
}

}  // namespace

Result<Child> Spawn(const SpawnOptions& options) {
  TheLeftovers().Reap();
  if (SpawnerPid() > 0) return SpawnThroughHelper(options);
  Attributes spawn;
  // A child's descriptor number may be a source of another mapping, so all sources move out of the way first.
  std::vector<UniqueFd> sources;
  int highest = 2;
  for (const auto& [ours, theirs] : options.fds) highest = std::max(highest, theirs);
  bool standard[3] = {false, false, false};
  for (const auto& [ours, theirs] : options.fds) {
    sources.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, highest + 1));
    if (!sources.back().valid()) return FailErrno(errno, "start {}: duplicate descriptor {}", options.argv[0], ours);
    posix_spawn_file_actions_adddup2(&spawn.actions, sources.back().get(), theirs);
    if (theirs < 3) standard[theirs] = true;
  }
  if (!standard[0]) posix_spawn_file_actions_addopen(&spawn.actions, 0, "/dev/null", O_RDONLY, 0);
  // Libraries (Asio, gRPC) make descriptors without O_CLOEXEC; a daemon that outlives us must not hold our sockets.
  for (int fd = 3; fd <= highest; ++fd) {
    const bool mapped =
        std::any_of(options.fds.begin(), options.fds.end(), [fd](const auto& map) { return map.second == fd; });
    if (!mapped) posix_spawn_file_actions_addclose(&spawn.actions, fd);
  }
  posix_spawn_file_actions_addclosefrom_np(&spawn.actions, highest + 1);
  if (!options.working_dir.empty()) posix_spawn_file_actions_addchdir_np(&spawn.actions, options.working_dir.c_str());

  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  flags = static_cast<short>(flags | (options.new_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP));
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&spawn.attr, &none);
  posix_spawnattr_setsigdefault(&spawn.attr, &all);
  posix_spawnattr_setpgroup(&spawn.attr, 0);
  posix_spawnattr_setflags(&spawn.attr, flags);

  const std::vector<char*> argv = Pointers(options.argv);
  std::vector<char*> env;
  if (options.env) env = Pointers(*options.env);
  Child child;
  const int error = ::posix_spawnp(&child.pid, ProgramOf(options).c_str(), &spawn.actions, &spawn.attr, argv.data(),
                                   options.env ? env.data() : environ);
  if (error != 0) return FailErrno(error, "start {}", options.argv[0]);
  child.pidfd.Reset(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  if (!child.pidfd.valid()) {
    const int saved = errno;
    Discard(std::move(child));
    return FailErrno(saved, "start {}: pidfd_open", options.argv[0]);
  }
  return child;
}

Result<int> Wait(Child& child, std::chrono::milliseconds timeout) {
  const auto deadline = Now() + timeout;
  while (true) {
    pollfd poll_fd{child.pidfd.get(), POLLIN, 0};
    const int ready = ::poll(&poll_fd, 1, MillisLeft(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return FailErrno(errno, "wait for process {}", child.pid);
    if (ready == 0)
      return Fail(Code::kDeadlineExceeded, "wait for process {}: no end after {} ms", child.pid, timeout.count());
    int status = 0;
    while (::waitpid(child.pid, &status, 0) < 0) {
      if (errno != EINTR) return FailErrno(errno, "wait for process {}", child.pid);
    }
    return ExitCode(status);
  }
}

void Discard(Child child) {
  constexpr int kPatienceMillis = 5000;
  ::kill(-child.pid, SIGKILL);
  ::kill(child.pid, SIGKILL);
  pollfd fd{child.pidfd.get(), POLLIN, 0};
  if (child.pidfd.valid()) ::poll(&fd, 1, kPatienceMillis);
  TheLeftovers().Add(child.pid);
  TheLeftovers().Reap();
}

Result<CommandResult> RunCommand(const CommandOptions& options) {
  const auto deadline = Now() + options.timeout;
  ASSIGN_OR_RETURN(Pipe in, MakePipe());
  ASSIGN_OR_RETURN(Pipe out, MakePipe());
  ASSIGN_OR_RETURN(Pipe err, MakePipe());
  SpawnOptions spawn = options.spawn;
  spawn.fds.insert(spawn.fds.end(), {{in.read.get(), 0}, {out.write.get(), 1}, {err.write.get(), 2}});
  ASSIGN_OR_RETURN(Child child, Spawn(spawn));
  in.read.Reset();
  out.write.Reset();
  err.write.Reset();

  CommandResult result;
  Result<void> pumped = Pump(options, deadline, in, out, err, result);
  Result<int> exit_code =
      pumped ? Wait(child, std::chrono::milliseconds(MillisLeft(deadline))) : Result<int>(Failure(pumped.error()));
  if (exit_code) {
    result.exit_code = *exit_code;
    return result;
  }
  if (exit_code.error().code == Code::kDeadlineExceeded && options.on_timeout) options.on_timeout();
  Discard(std::move(child));
  Error error = exit_code.error();
  if (!result.err.empty()) error.message.append(": ").append(Tail(result.err, 2000));
  return Failure(std::move(error));
}

}  // namespace portcullis::base
