// Ending a plugin that hangs, with everything it started: a shell script's children, an iptables that waits for a lock,
// a process that left the session.
//
// Every plugin call has an environment variable of its own (kCallVariable=<random>), which children inherit; a process
// bears the mark or descends from one that does. What was started with an emptied environment and has outlived its
// parent is not found.
#pragma once

#include <string>

namespace portcullis::runtime {

inline constexpr char kCallVariable[] = "PORTCULLIS_CNI_CALL";

// SIGKILL, until none is left that can be found (a few rounds: they may start others meanwhile). Not the caller.
void KillProcessesOfCall(const std::string& mark);

}  // namespace portcullis::runtime
