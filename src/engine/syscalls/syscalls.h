// System call numbers and names of every architecture, up to Linux 7.2. Look-up only; the tables are generated from
// data/syscalls/syscalls.tsv by scripts/generate-syscalls.
//
//   syscalls::NumberOf(Arch::kX86_64, "openat2")   -> 437
//   syscalls::NameOf(Arch::kX32, 0x40000000 + 1)   -> "write"
//   syscalls::SinceOf("openat2")                   -> {5, 6}
//
// Numbers are what user space passes: x32 numbers include bit 30, mips o32/n64/n32 numbers the bases 4000/5000/6000.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/syscalls/arch.h"

namespace portcullis::syscalls {

struct Entry {
  std::string_view name;
  uint32_t number;
};

// First mainline release that has the call.
struct KernelRelease {
  int major;
  int minor;
  friend auto operator<=>(const KernelRelease&, const KernelRelease&) = default;
};

// False for the architectures that have no table (see arch.h); every look-up on them finds nothing.
bool HasTable(Arch arch);

std::optional<uint32_t> NumberOf(Arch arch, std::string_view name);
// The first name, in alphabetical order, of a number (headers may give one number two names).
std::optional<std::string_view> NameOf(Arch arch, uint32_t number);
// All names of a number; empty when there is none.
std::span<const Entry> NamesOf(Arch arch, uint32_t number);

// All calls of an architecture, sorted by number, then by name.
std::span<const Entry> ByNumber(Arch arch);

// True when some architecture has a call of this name.
bool IsKnownName(std::string_view name);
// All names of all architectures, sorted.
std::span<const std::string_view> AllNames();

// Known for calls that came with Linux 5.1 or later; nullopt for older ones and unknown names.
std::optional<KernelRelease> SinceOf(std::string_view name);

}  // namespace portcullis::syscalls
