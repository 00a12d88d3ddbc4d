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

// SIGTERM and SIGINT end the process's work: blocked here, before any thread starts, and taken by Wait.
class StopSignals {
 public:
  StopSignals();
  int Wait();  // the signal's number
};

}  // namespace portcullis::cli
