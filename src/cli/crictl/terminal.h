// The user's terminal while a remote program has it, and the signals that end or resize it.
#pragma once

#include <termios.h>

#include <optional>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::cli {

// Raw mode until destroyed.
class RawTerminal {
 public:
  static Result<RawTerminal> Enter(int fd);
  RawTerminal(RawTerminal&& other) noexcept;
  RawTerminal& operator=(RawTerminal&&) = delete;
  ~RawTerminal();

 private:
  RawTerminal(int fd, const termios& before) : fd_(fd), before_(before) {}
  int fd_;  // -1: nothing to restore
  termios before_;
};

struct WindowSize {
  int columns = 0;
  int rows = 0;
};
std::optional<WindowSize> WindowSizeOf(int fd);  // nullopt: no terminal

// SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGWINCH as bytes on a descriptor, whichever thread they hit; one object at a
// time.
class SignalPipe {
 public:
  static Result<SignalPipe> Open();
  SignalPipe(SignalPipe&&) = default;
  ~SignalPipe();

  int fd() const { return read_.get(); }
  int Take();  // the next signal, 0: none

 private:
  explicit SignalPipe(base::UniqueFd read) : read_(std::move(read)) {}
  base::UniqueFd read_;
};

}  // namespace portcullis::cli
