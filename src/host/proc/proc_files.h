// What the files of /proc/PID say, as values: the one parser of each. A process chooses its own name, so nothing is
// searched for in the whole text.
//
//   ParseStat("77 (a name) with) S 12 ...")             -> {.state = 'S', .parent = 12, ...}
//   ParseStatus("Tgid:\t77\nSeccomp:\t2\n...")          -> {.tgid = 77, .seccomp_mode = 2, ...}
//   ParseCgroups("4:cpu,cpuacct:/c\n0::/u\n")           -> {{{"cpu", "cpuacct"}, "/c"}, {{""}, "/u"}}
//
// Pure. Source: the kernel's Documentation/filesystems/proc.rst, cgroups(7).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::host {

struct ProcessStat {
  char state = '?';  // R S D Z T X ...
  pid_t parent = 0;
  bool is_exiting = false;        // on cgroup v1 it is shown in the root cgroup then
  uint64_t start_time_ticks = 0;  // since boot; with the pid it names a process for good
};

// nullopt: not the text of such a file.
std::optional<ProcessStat> ParseStat(std::string_view text);

struct ProcessStatus {
  std::optional<pid_t> tgid;  // the process that a thread is of
  uint32_t uid = 0;           // effective
  uint32_t gid = 0;
  uint64_t permitted_capabilities = 0;
  uint64_t bounding_capabilities = 0;
  uint64_t blocked_signals = 0;  // bit 0: signal 1
  uint64_t ignored_signals = 0;
  uint64_t caught_signals = 0;
  bool no_new_privs = false;
  std::optional<int> seccomp_mode;     // 0 none, 1 strict, 2 filter; nullopt: a kernel without seccomp
  std::optional<int> seccomp_filters;  // Linux 5.9 and later
};

// nullopt: a line of those that are read has no such value.
std::optional<ProcessStatus> ParseStatus(std::string_view text);

struct ProcessCgroup {
  std::vector<std::string> controllers;  // "cpu", "name=systemd"; one "" for the unified hierarchy
  std::string path;                      // may hold colons
};

// Lines that are none of the kernel's are left out.
std::vector<ProcessCgroup> ParseCgroups(std::string_view text);

}  // namespace portcullis::host
