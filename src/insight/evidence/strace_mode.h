// Which architecture a program of a trace is of, from what strace calls its mode. Pure.
//
//   ArchOfStraceMode(Arch::kX86_64, "32 bit")   -> Arch::kX86
#pragma once

#include <optional>
#include <string_view>

#include "engine/syscalls/arch.h"

namespace portcullis::insight {

// The 32-bit architecture that runs on `native` as well; `native` itself where there is none.
syscalls::Arch NarrowArchOf(syscalls::Arch native);

// `mode`: "64 bit", "32 bit", "x32", "n32". nullopt: no mode of strace's.
std::optional<syscalls::Arch> ArchOfStraceMode(syscalls::Arch native, std::string_view mode);

}  // namespace portcullis::insight
