#include "cli/crictl/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <utility>

namespace portcullis::cli {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};

std::atomic<int> signal_write_fd{-1};

void OnSignal(int number) {
  const int saved = errno;
  const char byte = static_cast<char>(number);
  [[maybe_unused]] const ssize_t n = ::write(signal_write_fd, &byte, 1);  // a full pipe tells enough already
  errno = saved;
}

void Handle(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  for (const int number : kSignals) ::sigaction(number, &action, nullptr);
}

}  // namespace

Result<RawTerminal> RawTerminal::Enter(int fd) {
  termios before{};
  if (::tcgetattr(fd, &before) != 0) return FailErrno(errno, "read the settings of the terminal");
  termios raw = before;
  ::cfmakeraw(&raw);
  if (::tcsetattr(fd, TCSADRAIN, &raw) != 0) return FailErrno(errno, "set the terminal to raw mode");
  return RawTerminal(fd, before);
}

RawTerminal::RawTerminal(RawTerminal&& other) noexcept : fd_(std::exchange(other.fd_, -1)), before_(other.before_) {}

RawTerminal::~RawTerminal() {
  if (fd_ >= 0) ::tcsetattr(fd_, TCSADRAIN, &before_);
}

std::optional<WindowSize> WindowSizeOf(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return std::nullopt;
  return WindowSize{.columns = size.ws_col, .rows = size.ws_row};
}

Result<SignalPipe> SignalPipe::Open() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) return FailErrno(errno, "make a pipe for signals");
  signal_write_fd = fds[1];
  Handle(OnSignal);
  ::signal(SIGPIPE, SIG_IGN);  // output that nobody takes is an error, told after the terminal is as it was
  return SignalPipe(base::UniqueFd(fds[0]));
}

SignalPipe::~SignalPipe() {
  if (!read_.valid()) return;
  Handle(SIG_DFL);
  ::close(signal_write_fd.exchange(-1));
}

int SignalPipe::Take() {
  char byte = 0;
  return ::read(read_.get(), &byte, 1) == 1 ? byte : 0;
}

}  // namespace portcullis::cli
