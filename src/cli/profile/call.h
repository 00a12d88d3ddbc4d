// One system call as a user writes it: a name or a number, then up to six arguments.
//
//   "socket AF_ALG"                    -> 41, {38, 0, 0, 0, 0, 0}
//   "clone CLONE_NEWUSER|CLONE_NEWNS"  -> 56, {0x10020000, ...}
//   "personality 0xffffffff", "ioctl 3 TIOCSTI", "435", "openat AT_FDCWD"
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "engine/syscalls/arch.h"

namespace portcullis::cli {

struct Call {
  std::string name;  // "" when the number has none
  uint32_t number = 0;
  std::array<uint64_t, 6> args{};
};

// `words`: the name, then the arguments, which are numbers, constants or several joined with `|`, with the values of
// `arch` (engine/syscalls/constants.h). Errors name the word and what is near it.
Result<Call> ParseCall(std::span<const std::string> words, syscalls::Arch arch);

}  // namespace portcullis::cli
