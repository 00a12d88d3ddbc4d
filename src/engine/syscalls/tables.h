// The shape of the generated tables (scripts/generate-syscalls). Private to this room: use syscalls.h.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/syscalls/syscalls.h"

namespace portcullis::syscalls {

struct Table {
  Arch arch;
  std::span<const Entry> by_number;   // sorted by number, then name
  std::span<const uint16_t> by_name;  // indices into by_number, sorted by name
};

std::span<const Table> Tables();
std::span<const std::string_view> TableNames();  // sorted
std::span<const KernelRelease> TableSince();     // beside TableNames; {0, 0} when older than 5.1

}  // namespace portcullis::syscalls
