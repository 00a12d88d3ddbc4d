// What the kernel says about a process: is it the one we started, and is a seccomp filter really on it?
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"

namespace portcullis::runtime {

struct ProcessInfo {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = '?';               // R S D Z T ... of /proc/<pid>/stat
  uint64_t start_time_ticks = 0;  // since boot; with the pid it names a process for good
  int seccomp_mode = 0;           // 0 none, 1 strict, 2 filter
  int seccomp_filters = 0;        // filters installed; 0 where the kernel does not say (before 5.9)
  bool no_new_privs = false;
  uint64_t permitted_capabilities = 0;
  uint64_t bounding_capabilities = 0;
  uint32_t uid = 0;  // effective
  uint32_t gid = 0;
};

// kNotFound when there is no such process. `proc` is /proc but in tests.
Result<ProcessInfo> ReadProcessInfo(pid_t pid, const std::string& proc = "/proc");

// Is `pid` still the process that had this start time, and not a zombie?
bool IsSameProcessAlive(pid_t pid, uint64_t start_time_ticks, const std::string& proc = "/proc");

}  // namespace portcullis::runtime
