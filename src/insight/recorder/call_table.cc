#include "insight/recorder/call_table.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include "engine/syscalls/constants.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::insight {
namespace {

constexpr std::pair<std::string_view, uint8_t> kKinds[] = {
    {"listen", REC_CALL_LISTENS},
    // A server that listens is up when it first waits for clients.
    {"accept", REC_CALL_WAITS},
    {"accept4", REC_CALL_WAITS},
    {"epoll_wait", REC_CALL_WAITS},
    {"epoll_pwait", REC_CALL_WAITS},
    {"epoll_pwait2", REC_CALL_WAITS},
    {"poll", REC_CALL_WAITS},
    {"ppoll", REC_CALL_WAITS},
    {"ppoll_time64", REC_CALL_WAITS},
    {"select", REC_CALL_WAITS},
    {"_newselect", REC_CALL_WAITS},
    {"pselect6", REC_CALL_WAITS},
    {"pselect6_time64", REC_CALL_WAITS},
    {"io_uring_enter", REC_CALL_WAITS},
    {"rt_sigsuspend", REC_CALL_WAITS},
    {"execve", REC_CALL_EXECS},
    {"execveat", REC_CALL_EXECS},
    {"clone", REC_CALL_FORKS},
    {"clone3", REC_CALL_FORKS},
    {"fork", REC_CALL_FORKS},
    {"vfork", REC_CALL_FORKS},
};

// No default profile tests it, but what is known about the call depends on it: which namespaces are made.
constexpr std::pair<std::string_view, int> kKeptBesides[] = {{"unshare", 0}};

bool IsKept(syscalls::Arch arch, std::string_view name, int index) {
  return syscalls::IsTestedArgument(arch, name, index) ||
         std::ranges::find(kKeptBesides, std::pair(name, index)) != std::end(kKeptBesides);
}

}  // namespace

std::optional<syscalls::Arch> CompatOf(syscalls::Arch native) {
  switch (native) {
    case syscalls::Arch::kX86_64:
      return syscalls::Arch::kX86;
    case syscalls::Arch::kAarch64:
      return syscalls::Arch::kArm;
    default:
      return std::nullopt;
  }
}

Result<void> FillCallTable(syscalls::Arch arch, std::span<rec_call_info> table) {
  for (const auto& [name, number] : syscalls::ByNumber(arch)) {
    if (number >= table.size()) continue;
    unsigned mask = 0;
    for (int index = 0; index < 6; ++index) mask |= IsKept(arch, name, index) ? 1U << index : 0;
    if (std::popcount(mask) > REC_MAX_ARGS) {
      return Fail(Code::kInternal, "default profiles test {} arguments of {}, the recorder keeps {}",
                  std::popcount(mask), name, static_cast<int>(REC_MAX_ARGS));
    }
    table[number].args = static_cast<uint8_t>(mask);
  }
  for (const auto& [name, kind] : kKinds) {
    const auto number = syscalls::NumberOf(arch, name);
    if (number && *number < table.size()) table[*number].kind = kind;
  }
  return {};
}

}  // namespace portcullis::insight
