#include "base/spawner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <mutex>
#include <string>

#include "base/fd_message.h"
#include "base/files.h"
#include "base/spawner_request.h"
#include "base/try.h"

namespace portcullis::base {
namespace {

struct Helper {
  std::mutex mutex;  // one request at a time, and what is below
  UniqueFd socket;
  pid_t pid = -1;
  std::function<void()> on_lost;
};

// Lives as long as the process, whatever threads still do at its end.
Helper& TheHelper() {
  static Helper& helper = *new Helper;
  return helper;
}

[[noreturn]] void BecomeHelper(int socket) {
  sigset_t all;
  sigfillset(&all);
  // A signal to the daemon's process group is the daemon's business; the closed socket ends this process.
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::setpgid(0, 0);
  constexpr int kOurs = 3;
  if (socket != kOurs && ::dup3(socket, kOurs, O_CLOEXEC) < 0) ::_exit(1);
  ::close_range(kOurs + 1, ~0U, 0);
  ServeSpawns(kOurs);
}

Result<UniqueFd> Encode(const SpawnOptions& options) {
  if (options.fds.size() > kMostSpawnFds) {
    return Fail(Code::kInvalidArgument, "start {}: {} descriptors, at most {} can be passed", options.argv[0],
                options.fds.size(), kMostSpawnFds);
  }
  SpawnRequest head{};
  head.argc = static_cast<uint32_t>(options.argv.size());
  head.envc = options.env ? static_cast<uint32_t>(options.env->size()) : 0;
  head.has_env = options.env ? 1 : 0;
  head.new_session = options.new_session ? 1 : 0;
  head.fd_count = static_cast<uint32_t>(options.fds.size());
  for (size_t i = 0; i < options.fds.size(); ++i) head.fds[i] = options.fds[i].second;
  std::string bytes(sizeof head + (size_t{head.argc} + head.envc + 2) * sizeof(char*), '\0');
  const auto add = [&bytes](const std::string& text) { bytes.append(text.c_str(), std::strlen(text.c_str()) + 1); };
  for (const std::string& word : options.argv) add(word);
  if (options.env) {
    for (const std::string& variable : *options.env) add(variable);
  }
  add(ProgramOf(options));
  add(options.working_dir);
  head.size = bytes.size();
  std::memcpy(bytes.data(), &head, sizeof head);
  UniqueFd file(::memfd_create("spawn-request", MFD_CLOEXEC));
  if (!file.valid()) return FailErrno(errno, "start {}: make a memory file", options.argv[0]);
  for (size_t written = 0; written < bytes.size();) {
    const ssize_t n = ::write(file.get(), bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno != EINTR) return FailErrno(errno, "start {}: write the request", options.argv[0]);
    if (n > 0) written += static_cast<size_t>(n);
  }
  return file;
}

bool Send(int socket, int file, const SpawnOptions& options) {
  int fds[kMostSpawnFds + 1] = {file};
  for (size_t i = 0; i < options.fds.size(); ++i) fds[i + 1] = options.fds[i].first;
  return SendWithFds(socket, "s", 1, fds, options.fds.size() + 1);
}

bool Receive(int socket, SpawnAnswer& answer, UniqueFd& pidfd) {
  int fd = -1;
  size_t count = 0;
  const ssize_t got = ReceiveWithFds(socket, &answer, sizeof answer, &fd, 1, count);
  if (count == 1) pidfd.Reset(fd);
  return got == sizeof answer;
}

}  // namespace

Result<void> StartSpawner(std::function<void()> on_lost) {
  Helper& helper = TheHelper();
  const std::lock_guard lock(helper.mutex);
  if (helper.pid > 0) return Fail(Code::kFailedPrecondition, "the spawner runs already, process {}", helper.pid);
  ASSIGN_OR_RETURN(const auto threads, ListDir("/proc/self/task"));
  if (threads.size() != 1) {
    return Fail(Code::kFailedPrecondition, "start the spawner: this process has {} threads already", threads.size());
  }
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return FailErrno(errno, "make the spawner's sockets");
  }
  UniqueFd ours(pair[0]);
  const UniqueFd theirs(pair[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return FailErrno(errno, "start the spawner");
  if (pid == 0) BecomeHelper(theirs.get());
  helper.socket = std::move(ours);
  helper.pid = pid;
  helper.on_lost = std::move(on_lost);
  return {};
}

pid_t SpawnerPid() {
  Helper& helper = TheHelper();
  const std::lock_guard lock(helper.mutex);
  return helper.pid;
}

Result<Child> SpawnThroughHelper(const SpawnOptions& options) {
  ASSIGN_OR_RETURN(const UniqueFd file, Encode(options));
  Helper& helper = TheHelper();
  SpawnAnswer answer{};
  Child child;
  {
    const std::lock_guard lock(helper.mutex);
    if (!helper.socket.valid() || !Send(helper.socket.get(), file.get(), options) ||
        !Receive(helper.socket.get(), answer, child.pidfd)) {
      helper.socket.Reset();
      if (const auto on_lost = std::exchange(helper.on_lost, nullptr)) on_lost();
      return Fail(Code::kUnavailable, "start {}: the spawner, process {}, is gone", options.argv[0], helper.pid);
    }
  }
  child.pid = answer.pid;
  if (answer.error == 0 && child.pid > 0) {
    if (child.pidfd.valid()) return child;
    // It runs, and this process had no descriptor to take it by. It may wait for its caller, so it is not waited for.
    Discard(std::move(child));
    return FailErrno(EMFILE, "start {}", options.argv[0]);
  }
  if (child.pid > 0) {
    while (::waitpid(child.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  return FailErrno(answer.error != 0 ? answer.error : EBADMSG, "start {}", options.argv[0]);
}

}  // namespace portcullis::base
