// What the recorder must know about each call of an architecture: which arguments make two calls different (those that
// some default profile tests), and which calls tell that a program begins to serve, execs or forks.
//
// Pure.
#pragma once

#include <span>

#include "base/result.h"
#include "engine/syscalls/arch.h"
#include "insight/recorder/bpf/counts.h"

namespace portcullis::insight {

// The 32-bit architecture that programs of `native` can also call; nullopt when there is none.
std::optional<syscalls::Arch> CompatOf(syscalls::Arch native);

// Fills `table`, indexed by number. kInternal when some call has more tested arguments than a key has room for.
Result<void> FillCallTable(syscalls::Arch arch, std::span<rec_call_info> table);

}  // namespace portcullis::insight
