// When a process began and whether it is ending, from /proc/PID/stat.
//
//   ParseProcessStat("7 (a) b) S 1 …")      // {.start_ticks = …, .is_exiting = false}
//
// Pure. Source: proc(5); the kernel's PF_EXITING.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace portcullis::insight {

struct ProcessStat {
  uint64_t start_ticks = 0;  // since boot, in sysconf(_SC_CLK_TCK)
  bool is_exiting = false;   // on cgroup v1 it is shown in the root cgroup then
};
// nullopt: cut off, or no such text.
std::optional<ProcessStat> ParseProcessStat(std::string_view text);

}  // namespace portcullis::insight
