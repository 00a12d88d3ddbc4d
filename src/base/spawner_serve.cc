// The spawner's side. It runs in a process forked from the daemon, so every page that it writes is a page of its own:
// no heap, no log, buffers on the stack.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/fd_message.h"
#include "base/sanitizer.h"
#include "base/spawner_request.h"

extern char** environ;

namespace portcullis::base {
namespace {

constexpr int kExecFailed = 127;
constexpr size_t kStackBytes = size_t{64} << 10;
static_assert(kMostSpawnFds + 1 <= kMostMessageFds);

struct Request {
  SpawnRequest* head = nullptr;
  char** argv = nullptr;
  char** env = nullptr;
  const char* program = nullptr;
  const char* working_dir = nullptr;
  int fds[kMostSpawnFds + 1];  // the memory file, then those for the child
  int fd_count = 0;
};

struct Plan {
  const Request* request;
  int error = 0;
};

// The strings of `count` pointers, from `text` on; false when the file ends first.
bool Point(char** pointers, uint32_t count, char*& text, const char* end) {
  for (uint32_t i = 0; i < count; ++i) {
    char* stop = static_cast<char*>(std::memchr(text, '\0', static_cast<size_t>(end - text)));
    if (stop == nullptr) return false;
    pointers[i] = text;
    text = stop + 1;
  }
  pointers[count] = nullptr;
  return true;
}

int Decode(Request& request) {
  struct stat info;
  if (request.fd_count < 1 || ::fstat(request.fds[0], &info) != 0) return EBADMSG;
  const size_t size = static_cast<size_t>(info.st_size);
  if (size < sizeof(SpawnRequest)) return EBADMSG;
  void* map = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, request.fds[0], 0);
  if (map == MAP_FAILED) return errno;
  request.head = static_cast<SpawnRequest*>(map);
  const SpawnRequest& head = *request.head;
  const uint64_t pointers = uint64_t{head.argc} + head.envc + 2;
  if (head.size != size || head.fd_count != static_cast<uint32_t>(request.fd_count - 1) || head.argc == 0 ||
      sizeof(SpawnRequest) + pointers * sizeof(char*) > size) {
    return EBADMSG;
  }
  char* bytes = static_cast<char*>(map);
  request.argv = reinterpret_cast<char**>(bytes + sizeof(SpawnRequest));
  request.env = request.argv + head.argc + 1;
  char* text = bytes + sizeof(SpawnRequest) + pointers * sizeof(char*);
  char* rest[3] = {};
  const bool whole = Point(request.argv, head.argc, text, bytes + size) &&
                     Point(request.env, head.envc, text, bytes + size) && Point(rest, 2, text, bytes + size);
  request.program = rest[0];
  request.working_dir = rest[1];
  return whole ? 0 : EBADMSG;
}

int Prepare(const Request& request) {
  const SpawnRequest& head = *request.head;
  if ((head.new_session != 0 ? ::setsid() : ::setpgid(0, 0)) < 0) return errno;
  int highest = 2;
  for (uint32_t i = 0; i < head.fd_count; ++i) highest = std::max(highest, head.fds[i]);
  // A number in the child may be the place of another's source, so all sources move out of the way first.
  int sources[kMostSpawnFds];
  bool standard_input = false;
  for (uint32_t i = 0; i < head.fd_count; ++i) {
    sources[i] = ::fcntl(request.fds[i + 1], F_DUPFD_CLOEXEC, highest + 1);
    if (sources[i] < 0) return errno;
  }
  if (highest >= 3 && ::close_range(3, static_cast<unsigned>(highest), 0) != 0) return errno;
  for (uint32_t i = 0; i < head.fd_count; ++i) {
    if (::dup2(sources[i], head.fds[i]) < 0) return errno;
    standard_input = standard_input || head.fds[i] == 0;
  }
  if (::close_range(static_cast<unsigned>(highest) + 1, ~0U, 0) != 0) return errno;
  if (!standard_input) {
    const int null = ::open("/dev/null", O_RDONLY);
    if (null < 0) return errno;
    if (null != 0) {
      ::dup2(null, 0);
      ::close(null);
    }
  }
  if (*request.working_dir != '\0' && ::chdir(request.working_dir) != 0) return errno;
  struct sigaction by_default{};
  by_default.sa_handler = SIG_DFL;
  for (int signal = 1; signal <= SIGRTMAX; ++signal) ::sigaction(signal, &by_default, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  return 0;
}

// In the child, which has the helper's memory until its exec: the helper sleeps so long.
int RunChild(void* argument) {
  Plan& plan = *static_cast<Plan*>(argument);
  const Request& request = *plan.request;
  plan.error = Prepare(request);
  if (plan.error == 0) {
    ::execvpe(request.program, request.argv, request.head->has_env != 0 ? request.env : environ);
    plan.error = errno;
  }
  ::_exit(kExecFailed);
}

void Answer(int socket, const SpawnAnswer& answer, int pidfd) {
  // A daemon that is gone needs no answer.
  static_cast<void>(SendWithFds(socket, &answer, sizeof answer, &pidfd, pidfd >= 0 ? 1 : 0));
}

// Takes one request's descriptors; false when the daemon is gone.
bool Receive(int socket, Request& request) {
  char word = 0;
  size_t count = 0;
  if (ReceiveWithFds(socket, &word, 1, request.fds, kMostSpawnFds + 1, count) <= 0) return false;
  request.fd_count = static_cast<int>(count);
  return true;
}

// Is this mapping (a line of /proc/self/maps, its path from the first '/' or '[') one that this process needs? Its own
// code and data, the C library and the loader; unnamed ones, for the C library's thread data is in one of them.
bool IsNeeded(const char* path, const char* own_program) {
  if (*path == '\0') return true;
  if (*path == '[') return std::strcmp(path, "[heap]") != 0;
  return std::strcmp(path, own_program) == 0 || std::strstr(path, "/libc.so") != nullptr ||
         std::strstr(path, "/ld-linux") != nullptr;
}

uintptr_t ReadHex(const char*& text) {
  uintptr_t value = 0;
  for (;; ++text) {
    if (*text >= '0' && *text <= '9') {
      value = value * 16 + static_cast<uintptr_t>(*text - '0');
    } else if (*text >= 'a' && *text <= 'f') {
      value = value * 16 + static_cast<uintptr_t>(*text - 'a' + 10);
    } else {
      return value;
    }
  }
}

void UnmapIfNotNeeded(const char* line, const char* own_program) {
  const char* text = line;
  const uintptr_t begin = ReadHex(text);
  if (*text++ != '-') return;
  const uintptr_t end = ReadHex(text);
  const char* path = std::strpbrk(text, "/[");
  if (IsNeeded(path == nullptr ? "" : path, own_program)) return;
  ::munmap(reinterpret_cast<void*>(begin), end - begin);  // NOLINT(performance-no-int-to-ptr)
}

// Every page that the daemon wrote before the fork, relocated library data above all, would be kept twice once the
// daemon writes it again. All symbols are bound already (-z now), so nothing of the other libraries is needed here.
void DropTheDaemonsMemory() {
  if (kAddressSanitizer) return;  // it uses all of it
  char own_program[4096];
  const ssize_t length = ::readlink("/proc/self/exe", own_program, sizeof own_program - 1);
  const int maps = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (length <= 0 || maps < 0) return;
  own_program[length] = '\0';
  char buffer[16384];
  size_t held = 0;
  while (true) {
    const ssize_t n = ::read(maps, buffer + held, sizeof buffer - held);
    if (n <= 0) break;
    held += static_cast<size_t>(n);
    char* line = buffer;
    while (char* stop = static_cast<char*>(std::memchr(line, '\n', held - static_cast<size_t>(line - buffer)))) {
      *stop = '\0';
      UnmapIfNotNeeded(line, own_program);
      line = stop + 1;
    }
    held -= static_cast<size_t>(line - buffer);
    std::memmove(buffer, line, held);
  }
  ::close(maps);
}

}  // namespace

void ServeSpawns(int socket) {
  DropTheDaemonsMemory();
  // Only to be told apart in a list of processes: a daemon's threads have names of their own.
  ::prctl(PR_SET_NAME, "portc-spawner", 0, 0, 0);
  alignas(16) static char stack[kStackBytes];
  while (true) {
    Request request;
    if (!Receive(socket, request)) ::_exit(0);
    SpawnAnswer answer{.error = Decode(request), .pid = -1};
    int pidfd = -1;
    if (answer.error == 0) {
      Plan plan{.request = &request};
      // The exit signal is this process's own, SIGCHLD, as CLONE_PARENT wants it.
      const int pid =
          ::clone(RunChild, stack + sizeof stack, CLONE_PARENT | CLONE_VM | CLONE_VFORK | CLONE_PIDFD, &plan, &pidfd);
      answer = {.error = pid < 0 ? errno : plan.error, .pid = pid};
    }
    Answer(socket, answer, pidfd);
    if (pidfd >= 0) ::close(pidfd);
    if (request.head != nullptr) ::munmap(request.head, request.head->size);
    for (int i = 0; i < request.fd_count; ++i) ::close(request.fds[i]);
  }
}

}  // namespace portcullis::base
