#include "insight/trial/supervised.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/clock.h"
#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "base/try.h"
#include "base/unique_fd.h"
#include "host/filter/filters.h"
#include "host/proc/process.h"

namespace portcullis::insight {
namespace {

constexpr int kChannel = 3;  // of the helper; the listener gets the same number once it is closed
constexpr std::chrono::seconds kStartTime{10};
constexpr size_t kMaxMaps = 16u << 20;

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
constexpr uint32_t SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 32;
#endif

// What the helper is told before the program.
struct Header {
  uint32_t instructions = 0;
  uint32_t flags = 0;
};

bool ReadAll(int fd, void* into, size_t size) {
  auto* at = static_cast<char*>(into);
  while (size > 0) {
    const ssize_t got = ::read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

Result<void> WriteAll(int fd, const void* from, size_t size) {
  const auto* at = static_cast<const char*>(from);
  while (size > 0) {
    const ssize_t put = ::send(fd, at, size, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EPIPE) return {};  // it has ended: TakeListener finds out how
    if (put < 0) return FailErrno(errno, "hand the filter to the command");
    at += put;
    size -= static_cast<size_t>(put);
  }
  return {};
}

// file(+offset) of an address in a process that waits.
std::string LocationOf(uint32_t pid, uint64_t address) {
  const auto maps = base::ReadFile(fmt::format("/proc/{}/maps", pid), kMaxMaps);
  if (!maps) return "";
  for (const std::string& line : base::Split(*maps, '\n')) {
    // "7f4660c1b000-7f4660d71000 r-xp 00026000 fd:01 1835 /usr/lib/x86_64-linux-gnu/libc.so.6"
    const std::string_view text = line;
    const size_t dash = text.find('-');
    const size_t rights = text.find(' ');
    const size_t at = text.find(' ', rights + 1);
    const size_t path = text.find_first_of("/[");
    if (dash == std::string_view::npos || at == std::string_view::npos || path == std::string_view::npos) continue;
    const auto begin = base::ParseHex(text.substr(0, dash));
    const auto end = base::ParseHex(text.substr(dash + 1, rights - dash - 1));
    const auto offset = base::ParseHex(text.substr(at + 1, text.find(' ', at + 1) - at - 1));
    if (!begin || !end || !offset || address < *begin || address >= *end) continue;
    return fmt::format("{}+0x{:x}", text.substr(path), address - *begin + *offset);
  }
  return "";
}

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> out;
  const auto text = base::ReadFile(fmt::format("/proc/{}/task/{}/children", pid, pid));
  if (!text) return out;
  for (const std::string& word : base::Split(base::Trim(*text), ' ')) {
    if (const auto child = base::ParseUint(word)) out.push_back(static_cast<pid_t>(*child));
  }
  return out;
}

}  // namespace

struct Supervised::State {
  SupervisedOptions options;
  base::Child child;
  base::UniqueFd listener;
  bool hung_up = false;  // nobody is under the filter any more
  std::optional<int> exit_code;
  uint16_t notification_bytes = 0;

  ~State() { KillAll(); }

  // Everything that is left; orphans of the command have become our children (PR_SET_CHILD_SUBREAPER).
  void KillAll() {
    if (child.pid <= 0) return;
    const auto deadline = base::Now() + std::chrono::seconds(5);
    while (base::Now() < deadline) {
      bool any = false;
      for (const pid_t pid : ChildrenOf(::getpid())) {
        any = true;
        ::kill(pid, SIGKILL);
        int status = 0;
        if (::waitpid(pid, &status, WNOHANG) == pid && pid == child.pid && !exit_code) {
          exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
      }
      if (!any) break;
      ::poll(nullptr, 0, 1);
    }
    child.pid = -1;
  }

  Result<void> TakeListener(int channel) {
    // The helper closes its end right before it installs the filter.
    const auto deadline = base::Now() + kStartTime;
    pollfd wait{.fd = channel, .events = POLLIN, .revents = 0};
    std::string message;
    while (true) {
      if (::poll(&wait, 1, 100) > 0) {
        char buffer[512];
        const ssize_t size = ::read(channel, buffer, sizeof(buffer));
        if (size <= 0) break;
        message.append(buffer, static_cast<size_t>(size));
      }
      if (base::Now() > deadline) return Fail(Code::kDeadlineExceeded, "{} does not start", options.argv[0]);
    }
    if (!message.empty()) return Fail(Code::kFailedPrecondition, "{}", message);
    while (base::Now() < deadline) {
      const long got = ::syscall(SYS_pidfd_getfd, child.pidfd.get(), kChannel, 0);
      if (got >= 0) {
        listener.Reset(static_cast<int>(got));
        return {};
      }
      if (errno != EBADF && errno != ESRCH) return FailErrno(errno, "take the listener of {}", options.argv[0]);
      if (auto ended = base::Wait(child, std::chrono::milliseconds(0))) {
        return Fail(Code::kFailedPrecondition, "the filter cannot be installed: the helper ended with {}", *ended);
      }
      ::poll(nullptr, 0, 1);
    }
    return Fail(Code::kDeadlineExceeded, "{} does not install the filter", options.argv[0]);
  }

  // The caller is still where it was: between reading about it and answering, its pid may have become another's.
  bool IsWaiting(uint64_t id) const { return ::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0; }

  AskedCall Describe(const seccomp_notif& notification) const {
    AskedCall out;
    out.data = {.arch = notification.data.arch, .nr = static_cast<uint32_t>(notification.data.nr)};
    for (size_t i = 0; i < out.data.args.size(); ++i) out.data.args[i] = notification.data.args[i];
    out.denied = CaseOf(out.data, AnswerOf(options.profile, out.data));
    out.pid = notification.pid;
    out.instruction_pointer = notification.data.instruction_pointer;
    out.executable = host::ReadExecutable(static_cast<pid_t>(notification.pid));
    out.comm = host::ReadComm(static_cast<pid_t>(notification.pid));
    out.location = LocationOf(notification.pid, out.instruction_pointer);
    if (!IsWaiting(notification.id)) out.executable = out.comm = out.location = "";
    return out;
  }

  // What the kernel does for SECCOMP_RET_KILL_*: SIGSYS, which cannot be caught. It ends the caller when the call is
  // answered, before another instruction.
  static void Kill(uint32_t thread) {
    const auto status = host::ReadStatus(static_cast<pid_t>(thread));
    if (!status || !status->tgid) return;
    constexpr uint64_t kSigsysBit = uint64_t{1} << (SIGSYS - 1);
    const uint64_t masks = status->blocked_signals | status->ignored_signals | status->caught_signals;
    if ((masks & kSigsysBit) != 0) {
      ::kill(*status->tgid, SIGKILL);
    } else {
      ::syscall(SYS_tgkill, *status->tgid, static_cast<pid_t>(thread), SIGSYS);
    }
  }

  Result<void> Answer(const Decide& decide) {
    std::vector<char> buffer(std::max<size_t>(notification_bytes, sizeof(seccomp_notif)), 0);
    auto* const notification = reinterpret_cast<seccomp_notif*>(buffer.data());
    if (::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, notification) != 0) {
      // ENOENT: the caller was killed before we came to it.
      if (errno == ENOENT || errno == EINTR || errno == EAGAIN) return {};
      return FailErrno(errno, "take a call from the filter");
    }
    seccomp_notif_resp reply{};
    reply.id = notification->id;
    if (static_cast<uint32_t>(notification->data.nr) != kHelloCall) {
      const AskedCall call = Describe(*notification);
      const ProfileAnswer& answer = call.denied.answer;
      const bool harmless = answer.result == CallResult::kAllowed || answer.result == CallResult::kLogged;
      const Reply wanted = decide(call);
      if (harmless || wanted == Reply::kAllow) {
        reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
      } else if (answer.result == CallResult::kErrno) {
        reply.error = -answer.error;
      } else {
        Kill(call.pid);
        reply.error = -ENOSYS;  // should it still be there
      }
    }
    if (::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &reply) != 0 && errno != ENOENT) {
      return FailErrno(errno, "answer a call");
    }
    return {};
  }
};

Supervised::Supervised(std::unique_ptr<State> state) : state_(std::move(state)) {}
Supervised::Supervised(Supervised&&) noexcept = default;
Supervised& Supervised::operator=(Supervised&&) noexcept = default;
Supervised::~Supervised() = default;

Result<Supervised> Supervised::Start(SupervisedOptions options) {
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  ASSIGN_OR_RETURN(const bpf::Program asking, AskInsteadOfDeny(state->options.profile));
  seccomp_notif_sizes sizes{};
  if (::syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0) {
    return FailErrno(errno, "ask the kernel for seccomp listeners (Linux 5.0)");
  }
  state->notification_bytes = sizes.seccomp_notif;
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return FailErrno(errno, "become the subreaper");
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return FailErrno(errno, "make a socket pair");
  base::UniqueFd ours(ends[0]);
  base::UniqueFd theirs(ends[1]);
  base::SpawnOptions spawn{.argv = state->options.helper, .env = state->options.env, .fds = state->options.fds};
  spawn.argv.insert(spawn.argv.end(), state->options.argv.begin(), state->options.argv.end());
  spawn.fds.emplace_back(theirs.get(), kChannel);
  ASSIGN_OR_RETURN(state->child, base::Spawn(spawn));
  theirs.Reset();
  // Killable: a signal does not make the caller ask again, which would count one call twice (5.19).
  const Header header{.instructions = static_cast<uint32_t>(asking.size()),
                      .flags = state->options.flags & ~static_cast<uint32_t>(SECCOMP_FILTER_FLAG_TSYNC)};
  TRY(WriteAll(ours.get(), &header, sizeof(header)));
  TRY(WriteAll(ours.get(), asking.data(), asking.size() * sizeof(bpf::Insn)));
  TRY(state->TakeListener(ours.get()));
  return Supervised(std::move(state));
}

std::optional<int> Supervised::exit_code() const { return state_->exit_code; }

Result<bool> Supervised::Step(std::chrono::milliseconds timeout, const Decide& decide) {
  State& state = *state_;
  if (state.exit_code) return false;
  pollfd wait[2] = {{.fd = state.hung_up ? -1 : state.listener.get(), .events = POLLIN, .revents = 0},
                    {.fd = state.child.pidfd.get(), .events = POLLIN, .revents = 0}};
  if (::poll(wait, 2, static_cast<int>(timeout.count())) < 0 && errno != EINTR) {
    return FailErrno(errno, "wait for the command");
  }
  if ((wait[0].revents & POLLIN) != 0) {
    TRY(state.Answer(decide));
    return true;
  }
  if ((wait[0].revents & (POLLHUP | POLLERR)) != 0) state.hung_up = true;
  if ((wait[1].revents & POLLIN) != 0) {
    ASSIGN_OR_RETURN(const int code, base::Wait(state.child, std::chrono::milliseconds(100)));
    state.exit_code = code;
    return false;
  }
  return true;
}

Result<void> Supervised::End(std::chrono::milliseconds grace, const Decide& decide) {
  if (!state_->exit_code) ::kill(state_->child.pid, SIGTERM);
  const auto deadline = base::Now() + grace;
  while (!state_->exit_code && base::Now() < deadline) {
    ASSIGN_OR_RETURN(const bool runs, Step(std::chrono::milliseconds(20), decide));
    if (!runs) break;
  }
  state_->KillAll();
  return {};
}

int UnderFilterMain(const std::vector<std::string>& command) {
  const auto refuse = [](const std::string& why) {
    (void)!::write(kChannel, why.data(), why.size());
    return 126;
  };
  Header header;
  if (!ReadAll(kChannel, &header, sizeof(header)) || header.instructions > bpf::kMaxInstructions || command.empty()) {
    return refuse("this is started by portcullis try and tolerate only");
  }
  bpf::Program program(header.instructions);
  if (!ReadAll(kChannel, program.data(), program.size() * sizeof(bpf::Insn))) return refuse("the filter is cut off");
  if (const auto checked = bpf::Check(program); !checked) return refuse(checked.error().message);
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::close(kChannel);
  auto listener = host::InstallWithListener(program, header.flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  if (!listener) listener = host::InstallWithListener(program, header.flags);
  if (!listener || listener->get() != kChannel) return 126;
  // Until the supervisor has its copy of the listener: execve would close ours, and with the last one every question
  // would be answered with ENOSYS.
  ::syscall(static_cast<long>(kHelloCall));
  ::execvp(argv[0], argv.data());
  const int error = errno;
  std::fprintf(stderr, "portcullis: run %s: %s\n", argv[0], std::strerror(error));
  return error == ENOENT ? 127 : 126;
}

}  // namespace portcullis::insight
