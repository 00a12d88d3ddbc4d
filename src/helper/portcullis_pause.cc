// portcullis-pause: makes a pod's pause process and becomes it, without an OCI runtime and a monitor.
//
// The runtime starts it with a socket as descriptor 3 (pause_protocol.h), moves it into the sandbox's cgroup and sends
// what is wanted. It enters the namespaces, leaves the host's files behind, and starts the pause process, which lives
// on when this one has answered and ended. The pause process keeps the namespaces alive, reaps what its PID namespace
// orphans, and ends on SIGTERM and SIGINT. It has an empty read-only root, no descriptor, no capability and no way to
// new ones, and the filter that the runtime compiled.
//
// Static, without C++'s library and without allocations: every pod has one.
#include <errno.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/pause_options.h"
#include "helper/pause_protocol.h"
#include "helper/pause_steps.h"

namespace {

using portcullis::helper::PauseAnswer;
using portcullis::helper::PauseOptions;

constexpr long kLookNanos = 50'000;

// What the two processes share: a filter may deny every call by which one could tell the other.
struct Progress {
  volatile int confined;
  volatile int error;
  const char* volatile failed;  // both run the same program, so its texts are where they are
};

struct Filter {
  void* program = nullptr;
  unsigned short instructions = 0;
};

void OnEnd(int) { _exit(0); }

void OnChild(int) {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

const char* CatchSignals() {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = OnEnd;
  if (sigaction(SIGTERM, &action, nullptr) != 0 || sigaction(SIGINT, &action, nullptr) != 0) return "catch signals";
  action.sa_handler = OnChild;
  action.sa_flags = SA_NOCLDSTOP;
  return sigaction(SIGCHLD, &action, nullptr) == 0 ? nullptr : "catch signals";
}

const char* Confine(const PauseOptions& options, const Filter& filter) {
  const char* failed = nullptr;
  if (setsid() < 0) return "make a session";
  if (prctl(PR_SET_NAME, "pause", 0, 0, 0) != 0) return "name the process";
  failed = CatchSignals();
  if (failed == nullptr) failed = portcullis::helper::DropDescriptors();
  if (failed == nullptr) failed = portcullis::helper::DropRights(options);
  if (failed != nullptr) return failed;
  return portcullis::helper::SealItself(options, filter.program, filter.instructions);
}

[[noreturn]] void BePause(const PauseOptions& options, const Filter& filter, Progress& progress) {
  if (const char* failed = Confine(options, filter)) {
    progress.error = errno;
    progress.failed = failed;
    _exit(1);
  }
  progress.confined = 1;
  // The handlers do what there is to do. A filter without pause(2) ends it, rather than let it spin.
  do {
    errno = 0;
    pause();
  } while (errno == EINTR);
  _exit(1);
}

[[noreturn]] void Answer(int pid, int error, const char* step) {
  PauseAnswer answer;
  memset(&answer, 0, sizeof answer);
  answer.pid = pid;
  answer.error = error;
  snprintf(answer.step, sizeof answer.step, "%s", step);
  const bool told = send(portcullis::helper::kPauseSocketFd, &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer;
  _exit(told && error == 0 ? 0 : 1);
}

[[noreturn]] void Fail(const char* step) { Answer(-1, errno != 0 ? errno : EINVAL, step); }

// Mapped from the runtime's memory file and never written: all pause processes share its pages.
Filter MapFilter() {
  struct stat info;
  if (fstat(portcullis::helper::kPauseFilterFd, &info) != 0) Fail("look at the filter");
  const size_t size = static_cast<size_t>(info.st_size);
  if (size == 0 || size % sizeof(sock_filter) != 0 || size / sizeof(sock_filter) > BPF_MAXINSNS) {
    errno = EINVAL;
    Fail("look at the filter");
  }
  void* program = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, portcullis::helper::kPauseFilterFd, 0);
  if (program == MAP_FAILED) Fail("map the filter");
  return {.program = program, .instructions = static_cast<unsigned short>(size / sizeof(sock_filter))};
}

void AwaitConfinement(pid_t pid, const Progress& progress) {
  const timespec look{.tv_sec = 0, .tv_nsec = kLookNanos};
  while (progress.confined == 0) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid && progress.confined == 0) {
      errno = progress.error;
      Fail(progress.failed != nullptr ? progress.failed : "confine the pause process: it was killed");
    }
    nanosleep(&look, nullptr);
  }
}

}  // namespace

int main() {
  static char request[portcullis::helper::kMaxPauseRequest];
  static PauseOptions options;
  const ssize_t size = recv(portcullis::helper::kPauseSocketFd, request, sizeof request, MSG_TRUNC);
  if (size < 0) {
    fprintf(stderr, "portcullis-pause: started by the runtime alone: %s\n", strerror(errno));
    return 2;
  }
  if (size == 0) return 1;  // the runtime is gone
  if (static_cast<size_t>(size) > sizeof request) {
    errno = EMSGSIZE;
    Fail("read the request");
  }
  errno = EINVAL;
  if (const char* wrong = ReadPauseOptions(request, static_cast<size_t>(size), options)) Fail(wrong);
  if (options.device_cgroup != nullptr) {
    if (const char* failed = portcullis::helper::ForbidDevices(options.device_cgroup)) Fail(failed);
  }
  const Filter filter = options.has_filter ? MapFilter() : Filter();
  if (const char* failed = portcullis::helper::EnterNamespaces(options)) Fail(failed);
  if (const char* failed = portcullis::helper::ChangeRoot(options.root)) Fail(failed);
  void* shared = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) Fail("share memory with the pause process");
  auto& progress = *static_cast<Progress*>(shared);
  const pid_t pid = fork();
  if (pid < 0) Fail("start the pause process");
  if (pid == 0) BePause(options, filter, progress);
  AwaitConfinement(pid, progress);
  Answer(pid, 0, "");
}
