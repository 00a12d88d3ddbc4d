#include "runtime/container/conmon.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/files.h"
#include "base/thread.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr int kSyncFd = 3;
constexpr int kStartFd = 4;
constexpr size_t kMaxSyncLine = 1u << 20;

struct Pipe {
  base::UniqueFd read;
  base::UniqueFd write;
};

Result<Pipe> MakePipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return FailErrno(errno, "make a pipe for conmon");
  return Pipe{base::UniqueFd(fds[0]), base::UniqueFd(fds[1])};
}

std::string PathVariable() {
  const char* path = std::getenv("PATH");
  return std::string("PATH=") +
         (path != nullptr ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

}  // namespace

Result<Conmon> Conmon::Start(std::vector<std::string> argv, const std::string& working_dir, const Cgroups& cgroups,
                             const std::string& cgroup) {
  TRY(cgroups.Create(cgroup));
  ASSIGN_OR_RETURN(Pipe sync, MakePipe());
  ASSIGN_OR_RETURN(Pipe start, MakePipe());
  // Not a pipe: conmon outlives this process and must not fail on writing.
  base::UniqueFd output(::memfd_create("conmon-output", MFD_CLOEXEC));
  if (!output.valid()) return FailErrno(errno, "make a memory file for conmon");

  base::SpawnOptions spawn;
  spawn.argv = std::move(argv);
  spawn.env = {PathVariable(), fmt::format("_OCI_SYNCPIPE={}", kSyncFd), fmt::format("_OCI_STARTPIPE={}", kStartFd)};
  spawn.fds = {{output.get(), 1}, {output.get(), 2}, {sync.write.get(), kSyncFd}, {start.read.get(), kStartFd}};
  spawn.working_dir = working_dir;
  spawn.new_session = true;
  ASSIGN_OR_RETURN(base::Child child, base::Spawn(spawn));
  auto waiting = std::make_unique<Waiting>();
  waiting->start = std::move(start.write);
  waiting->moved = base::Async([&cgroups, cgroup, pid = child.pid] { return cgroups.AddProcess(cgroup, pid); });
  return Conmon(std::move(child), std::move(sync.read), std::move(output), std::move(waiting));
}

Conmon::~Conmon() {
  if (!waiting_) return;
  if (waiting_->moved.valid()) waiting_->moved.wait();
  base::Discard(std::move(child_));
}

Result<void> Conmon::Settle() { return waiting_->moved.valid() ? waiting_->moved.get() : Result<void>(); }

Result<void> Conmon::Release() {
  TRY(Settle());
  const char go = 'x';
  if (::write(waiting_->start.get(), &go, 1) != 1) return FailErrno(errno, "start conmon");
  waiting_.reset();
  return {};
}

Result<SyncMessage> Conmon::ReadSync(std::chrono::milliseconds timeout) {
  const auto deadline = base::Now() + timeout;
  while (true) {
    if (const size_t end = pending_.find('\n'); end != std::string::npos) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (!line.empty()) return ParseSyncMessage(line);
      continue;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - base::Now()).count();
    pollfd fd{sync_.get(), POLLIN, 0};
    const int ready = ::poll(&fd, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return FailErrno(errno, "wait for conmon");
    if (ready == 0) return Fail(Code::kDeadlineExceeded, "no answer from conmon after {} ms", timeout.count());
    char buffer[8192];
    const ssize_t n = ::read(sync_.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(errno, "read conmon's sync pipe");
    if (n == 0 && !pending_.empty()) {
      pending_ += '\n';
      continue;
    }
    if (n == 0) {
      ::lseek(output_.get(), 0, SEEK_SET);
      const auto said = base::ReadFd(output_.get(), 1u << 20, "conmon's output");
      return Fail(Code::kInternal, "conmon ended without an answer: {}",
                  CleanRuntimeMessage(said ? *said : std::string()));
    }
    pending_.append(buffer, static_cast<size_t>(n));
    if (pending_.size() > kMaxSyncLine)
      return Fail(Code::kResourceExhausted, "conmon's sync message is longer than {} bytes", kMaxSyncLine);
  }
}

}  // namespace portcullis::runtime
