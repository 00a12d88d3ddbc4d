// What the kernel says about a process now.
//
//   ASSIGN_OR_RETURN(const ProcessStat stat, ReadStat(pid));       // and later:
//   IsSameProcessAlive(pid, stat.start_time_ticks)
//
// `proc` is /proc but in tests. A pid may become another process's between two calls: hold a pidfd, or compare start
// times.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "host/proc/proc_files.h"

namespace portcullis::host {

// kNotFound when there is no such process, kDataLoss when the kernel's text is not understood.
Result<ProcessStat> ReadStat(pid_t pid, const std::string& proc = "/proc");
Result<ProcessStatus> ReadStatus(pid_t pid, const std::string& proc = "/proc");
// The text of /proc/PID/cgroup, for ParseCgroups. kNotFound as above.
Result<std::string> ReadCgroups(pid_t pid, const std::string& proc = "/proc");

// The name, cut to 15 bytes by the kernel, and the file of the program as this mount namespace names it (" (deleted)"
// behind it when it was removed). "" when the process is gone, may not be looked at, or has none (kernel threads).
std::string ReadComm(pid_t pid, const std::string& proc = "/proc");
std::string ReadExecutable(pid_t pid, const std::string& proc = "/proc");

// Is `pid` still the process that had this start time, and not a zombie?
bool IsSameProcessAlive(pid_t pid, uint64_t start_time_ticks, const std::string& proc = "/proc");

}  // namespace portcullis::host
