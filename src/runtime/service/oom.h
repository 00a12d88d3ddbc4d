// Did the kernel kill something in a container because its memory ran out?
#pragma once

#include <string>

#include "runtime/container/cgroups.h"

namespace portcullis::runtime {

// conmon leaves a file `oom` in the bundle where it can tell (cgroup v1); the cgroup itself counts kills while it
// exists (v2 memory.events, v1 memory.oom_control).
bool WasOomKilled(const std::string& bundle, const Cgroups& cgroups, const std::string& cgroup);

// The number after "oom_kill " in such a file; 0 when there is none. For tests.
uint64_t OomKillCount(std::string_view text);

}  // namespace portcullis::runtime
