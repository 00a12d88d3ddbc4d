// Signals as a descriptor that poll(2) waits for beside others.
//
//   const SignalFd signals({SIGINT, SIGTERM});      // blocked from now on
//   poll({signals.fd(), ...});
//   if (const int signal = signals.Take(); signal != 0) ...
#pragma once

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <initializer_list>

#include "base/unique_fd.h"

namespace portcullis::cli {

class SignalFd {
 public:
  explicit SignalFd(std::initializer_list<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    fd_ = base::UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~SignalFd() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalFd(const SignalFd&) = delete;
  SignalFd& operator=(const SignalFd&) = delete;

  int fd() const { return fd_.get(); }
  // The next signal that came; 0: none.
  int Take() const {
    signalfd_siginfo info = {};
    return ::read(fd_.get(), &info, sizeof(info)) == sizeof(info) ? static_cast<int>(info.ssi_signo) : 0;
  }

 private:
  sigset_t before_ = {};
  base::UniqueFd fd_;
};

}  // namespace portcullis::cli
