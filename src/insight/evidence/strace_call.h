// What a call in strace's words was to the kernel: number, the arguments that evidence keeps, and its result. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/syscalls/arch.h"
#include "insight/evidence/evidence.h"

namespace portcullis::insight {

struct StraceNumber {
  uint32_t number = 0;
  std::string_view name;            // the kernel's: socketcall for an accept of i386
  std::optional<uint64_t> subcall;  // of socketcall and ipc
  bool ambiguous = false;           // by its name alone it may also have been a subcall (socket on i386)
};

// `name` as strace writes it ("socket", "syscall_0x3e7"), `known` from -n. nullopt: the architecture has no such call.
std::optional<StraceNumber> NumberOfStraceCall(syscalls::Arch arch, std::string_view name,
                                               std::optional<uint32_t> known);

// Whether a call shows that its program is of `arch` (true), or of `compat`, the 32-bit architecture beside it (false):
// by a number or a name that only one of them has, or by an address that needs 64 bits. nullopt: it may be of either.
std::optional<bool> IsOfArch(syscalls::Arch arch, syscalls::Arch compat, std::string_view name,
                             std::optional<uint32_t> known, std::string_view arguments, std::string_view result);

struct StraceValues {
  std::vector<CallArgument> arguments;
  std::string unread_tested;  // an argument that default profiles test and that could not be read, else ""
  std::string unread_other;   // one that is only kept
};

// `text`: what was between the parentheses.
StraceValues ValuesOfStraceCall(syscalls::Arch arch, const StraceNumber& number, std::string_view text);

struct StraceResult {
  CallResult result = CallResult::kUnknown;
  int error = 0;
  std::optional<uint64_t> value;  // where it is a number
};

// "-1 EPERM (Operation not permitted)", "3", "? ERESTARTSYS (…)", "?", "0x7f…".
StraceResult ResultOfStraceCall(std::string_view name, std::string_view text);

}  // namespace portcullis::insight
