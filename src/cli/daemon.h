// What every long-running verb needs: waiting for its end, and log settings.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command_line.h"

namespace portcullis::cli {

struct LogFlags {
  std::string level = "info";
  std::string format = "text";

  void AddTo(CommandLine& line);
  Result<void> Apply() const;
};

// 022, whatever the caller had: what a daemon makes is nobody else's to write, its sockets least of all, from the
// moment they appear. Before any thread is started.
void SetDaemonUmask();

// The end of a process some of whose threads cannot be waited for: says so, and destroys nothing that they may use.
[[noreturn]] void LeaveWithThreadsAtWork();

// SIGTERM and SIGINT end the process's work: blocked here, before any thread starts, and taken by Wait.
class StopSignals {
 public:
  StopSignals();
  int Wait();      // the signal's number
  bool Arrived();  // without waiting; takes the signal
};

}  // namespace portcullis::cli
