#include "runtime/container/pause_maker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "base/files.h"
#include "base/spawn.h"
#include "base/try.h"
#include "helper/pause_protocol.h"
#include "host/proc/process.h"
#include "runtime/container/pause_request.h"

namespace portcullis::runtime {
namespace {

constexpr int kProgramFd = 5;
constexpr std::chrono::milliseconds kReapTimeout = std::chrono::seconds(10);

// A mount of this one file, in no mount namespace.
Result<base::UniqueFd> ReadOnlyMountOf(const std::string& program) {
  base::UniqueFd tree(static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, program.c_str(), static_cast<unsigned>(OPEN_TREE_CLONE) | OPEN_TREE_CLOEXEC)));
  if (!tree.valid()) return FailErrno(errno, "mount {} for itself", program);
  struct mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (::syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    return FailErrno(errno, "make the mount of {} read-only", program);
  }
  return tree;
}

Result<helper::PauseAnswer> ReadAnswer(int socket, std::chrono::milliseconds timeout) {
  const auto deadline = base::Now() + timeout;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - base::Now()).count();
    pollfd fd{socket, POLLIN, 0};
    const int ready = ::poll(&fd, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return FailErrno(errno, "wait for portcullis-pause");
    if (ready == 0) return Fail(Code::kDeadlineExceeded, "portcullis-pause: no answer after {} ms", timeout.count());
    helper::PauseAnswer answer{};
    const ssize_t got = ::recv(socket, &answer, sizeof answer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got != sizeof answer) return Fail(Code::kInternal, "portcullis-pause ended without an answer");
    answer.step[sizeof answer.step - 1] = '\0';
    return answer;
  }
}

}  // namespace

Result<std::unique_ptr<PauseMaker>> PauseMaker::Open(const std::string& program, const Cgroups& cgroups) {
  if (program.empty()) return Fail(Code::kNotFound, "portcullis-pause is not installed");
  auto tree = ReadOnlyMountOf(program);
  if (!tree && tree.error().sys_errno == ENOSYS) {
    return Fail(Code::kFailedPrecondition, "{}", tree.error().message);
  }
  if (!tree) return Failure(std::move(tree).error());
  return std::unique_ptr<PauseMaker>(new PauseMaker(*std::move(tree), cgroups));
}

Result<void> PauseMaker::PrepareCgroup(const ContainerHandle& handle, const oci::Spec& spec, pid_t pid) const {
  const std::string cgroup = handle.Cgroup();
  TRY(cgroups_.Create(cgroup));
  TRY(cgroups_.AddProcess(cgroup, pid));  // also makes what is a scope
  TRY(cgroups_.SetLimits(cgroup, PauseLimits(spec)));
  if (cgroups_.layout() == CgroupLayout::kUnified) return {};
  const std::string devices = cgroups_.DirectoryOf("devices", cgroup);
  return devices.empty() ? Result<void>() : base::WriteKernelFile(devices + "/devices.deny", "a");
}

Result<PauseProcess> PauseMaker::Make(const ContainerHandle& handle, const oci::Spec& spec,
                                      const std::optional<PauseFilter>& filter,
                                      std::chrono::milliseconds timeout) const {
  PauseRequestExtras extras;
  if (filter) extras.filter_flags = filter->flags;
  if (cgroups_.layout() == CgroupLayout::kUnified)
    extras.device_cgroup = cgroups_.DirectoryOf("devices", handle.Cgroup());
  ASSIGN_OR_RETURN(const std::string request, PauseRequest(spec, extras));

  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return FailErrno(errno, "make sockets for portcullis-pause");
  }
  const base::UniqueFd ours(pair[0]);
  base::UniqueFd theirs(pair[1]);
  base::SpawnOptions spawn;
  spawn.program = "/proc/self/fd/" + std::to_string(kProgramFd);
  spawn.argv = spec.process.args;
  spawn.env = spec.process.env;
  spawn.fds = {{theirs.get(), helper::kPauseSocketFd}, {program_.get(), kProgramFd}};
  if (filter) spawn.fds.emplace_back(filter->file, helper::kPauseFilterFd);
  ASSIGN_OR_RETURN(base::Child child, base::Spawn(spawn));
  theirs.Reset();
  // It waits for the request, so all that it makes is made in the sandbox's cgroup.
  Result<void> sent = PrepareCgroup(handle, spec, child.pid);
  if (sent && ::send(ours.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    sent = FailErrno(errno, "ask portcullis-pause");
  }
  Result<helper::PauseAnswer> answer =
      sent ? ReadAnswer(ours.get(), timeout) : Result<helper::PauseAnswer>(Failure(sent.error()));
  if (!answer) {
    base::Discard(std::move(child));
    return Failure(std::move(answer).error());
  }
  if (const auto ended = base::Wait(child, kReapTimeout); !ended) return Failure(ended.error());
  if (answer->error != 0) return FailErrno(answer->error, "portcullis-pause: {}", answer->step);

  PauseProcess pause{.pid = answer->pid, .start_time_ticks = 0, .pidfd = {}};
  pause.pidfd.Reset(static_cast<int>(::syscall(SYS_pidfd_open, pause.pid, 0)));
  if (!pause.pidfd.valid()) return FailErrno(errno, "the pause process ended at once");
  // Whoever has the pid now: in this cgroup it is ours.
  const std::vector<pid_t> inside = cgroups_.Processes(handle.Cgroup());
  if (std::find(inside.begin(), inside.end(), pause.pid) == inside.end()) {
    return Fail(Code::kInternal, "the pause process ended at once");
  }
  ASSIGN_OR_RETURN(const host::ProcessStat stat, host::ReadStat(pause.pid));
  pause.start_time_ticks = stat.start_time_ticks;
  return pause;
}

Result<base::UniqueFd> OpenPause(pid_t pid, uint64_t start_time_ticks) {
  base::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid() && errno != ESRCH) return FailErrno(errno, "open process {}", pid);
  // Looked at after the descriptor is held: if the pid is its own now, it was then.
  if (!pidfd.valid() || !host::IsSameProcessAlive(pid, start_time_ticks)) {
    return Fail(Code::kNotFound, "process {} has ended", pid);
  }
  return pidfd;
}

}  // namespace portcullis::runtime
