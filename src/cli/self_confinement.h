// --self-seccomp: the filter that a daemon puts itself under before it starts a thread or reads from anybody.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command_line.h"

namespace portcullis::cli {

struct SelfConfinementFlags {
  std::string self_seccomp = "enforce";

  void AddTo(CommandLine& line);
  // Once, while the process has one thread; says in the log what holds from now on.
  Result<void> Apply() const;
};

}  // namespace portcullis::cli
