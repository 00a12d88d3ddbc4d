#include "host/filter/filters.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/try.h"
#include "host/proc/process.h"

namespace portcullis::host {
namespace {

constexpr int kLongestWaitMs = 1000;  // for a thread to stop; one that sleeps uninterruptibly does not

// The last argument's type differs between C libraries' ptrace declarations; the call itself takes plain words.
long Ptrace(long request, pid_t pid, unsigned long address, void* data) {
  return ::syscall(SYS_ptrace, request, static_cast<long>(pid), address, data);
}

// A thread held in a ptrace stop. Lets it go at the end, with the signal that it was about to get.
class Stopped {
 public:
  explicit Stopped(pid_t pid) : pid_(pid) {}
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;
  ~Stopped() {
    if (held_) {
      // The signal travels in ptrace's pointer argument.
      Ptrace(PTRACE_DETACH, pid_, 0,
             reinterpret_cast<void*>(static_cast<long>(signal_)));  // NOLINT(performance-no-int-to-ptr)
    }
  }

  Result<void> Hold() {
    if (Ptrace(PTRACE_SEIZE, pid_, 0, nullptr) != 0) return SeizeError(errno);
    if (Ptrace(PTRACE_INTERRUPT, pid_, 0, nullptr) != 0) return FailErrno(errno, "stop process {}", pid_);
    for (int waited = 0; waited < kLongestWaitMs; ++waited) {
      int status = 0;
      const pid_t stopped = ::waitpid(pid_, &status, __WALL | WNOHANG);
      if (stopped == pid_) return Note(status);
      if (stopped < 0 && errno != EINTR) return FailErrno(errno, "wait for process {} to stop", pid_);
      ::poll(nullptr, 0, 1);
    }
    return Fail(Code::kDeadlineExceeded, "process {} did not stop within {} ms (it sleeps in the kernel)", pid_,
                kLongestWaitMs);
  }

 private:
  Result<void> SeizeError(int error) const {
    if (error == ESRCH) return Fail(Code::kNotFound, "there is no process {}", pid_);
    if (error == EPERM) {
      return Fail(Code::kPermissionDenied,
                  "process {} may not be traced: another tracer, or no right to (root, "
                  "CAP_SYS_PTRACE)",
                  pid_);
    }
    return FailErrno(error, "trace process {}", pid_);
  }

  Result<void> Note(int status) {
    if (!WIFSTOPPED(status)) return Fail(Code::kNotFound, "process {} ended", pid_);
    held_ = true;
    // Any other stop than the one asked for is a signal on its way: it is handed over again at the end.
    const bool asked_for = status >> 16 == PTRACE_EVENT_STOP;
    signal_ = asked_for ? 0 : WSTOPSIG(status);
    return {};
  }

  const pid_t pid_;
  bool held_ = false;
  int signal_ = 0;
};

Result<bpf::Program> ReadFilter(pid_t pid, unsigned long index, size_t length) {
  std::vector<bpf::Insn> program(length);
  if (Ptrace(PTRACE_SECCOMP_GET_FILTER, pid, index, program.data()) < 0) {
    return FailErrno(errno, "read filter {} of process {}", index, pid);
  }
  return program;
}

// 0 off, 1 strict, 2 filters.
Result<int> ModeOf(pid_t pid) {
  const auto status = ReadStatus(pid);
  if (!status) {
    if (status.error().code == Code::kNotFound) return Fail(Code::kNotFound, "there is no process {}", pid);
    return Failure(status.error());
  }
  if (!status->seccomp_mode) return Fail(Code::kFailedPrecondition, "this kernel was built without seccomp");
  return *status->seccomp_mode;
}

}  // namespace

namespace {

// What seccomp(2) returns.
Result<int> InstallAny(std::span<const bpf::Insn> program, uint32_t flags) {
  TRY(bpf::Check(program));
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()),
                          .filter = reinterpret_cast<sock_filter*>(const_cast<bpf::Insn*>(program.data()))};
  long done = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  if (done < 0 && errno == EACCES) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return FailErrno(errno, "give up new privileges");
    done = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  }
  if (done < 0) return FailErrno(errno, "install a seccomp filter of {} instructions", program.size());
  return static_cast<int>(done);
}

}  // namespace

Result<void> Install(std::span<const bpf::Insn> program, uint32_t flags) {
  TRY(InstallAny(program, flags));
  return {};
}

Result<base::UniqueFd> InstallWithListener(std::span<const bpf::Insn> program, uint32_t flags) {
  ASSIGN_OR_RETURN(const int listener, InstallAny(program, flags | SECCOMP_FILTER_FLAG_NEW_LISTENER));
  return base::UniqueFd(listener);
}

Result<std::vector<bpf::Program>> ReadFilters(pid_t pid) {
  if (pid == ::getpid()) return Fail(Code::kFailedPrecondition, "process {} cannot trace itself", pid);
  ASSIGN_OR_RETURN(const int mode, ModeOf(pid));
  std::vector<bpf::Program> filters;
  if (mode == SECCOMP_MODE_DISABLED) return filters;
  if (mode == SECCOMP_MODE_STRICT) {
    return Fail(Code::kFailedPrecondition, "process {} runs in seccomp's strict mode, which has no filter", pid);
  }
  Stopped stopped(pid);
  TRY(stopped.Hold());
  for (unsigned long index = 0;; ++index) {
    const long length = Ptrace(PTRACE_SECCOMP_GET_FILTER, pid, index, nullptr);
    if (length < 0 && errno == ENOENT) break;
    if (length < 0 && (errno == EIO || errno == EINVAL)) {
      return Fail(Code::kFailedPrecondition, "this kernel does not show filters (CONFIG_CHECKPOINT_RESTORE)");
    }
    if (length < 0 && errno == EACCES) {
      return Fail(Code::kPermissionDenied,
                  "reading filters needs CAP_SYS_ADMIN in the host's user namespace and no filter of one's own");
    }
    if (length < 0) return FailErrno(errno, "read filter {} of process {}", index, pid);
    ASSIGN_OR_RETURN(bpf::Program program, ReadFilter(pid, index, static_cast<size_t>(length)));
    filters.push_back(std::move(program));
  }
  // The kernel counts from the oldest (kernel/seccomp.c, get_nth_filter).
  std::ranges::reverse(filters);
  return filters;
}

}  // namespace portcullis::host
