// One run of a program under an asking filter, with a time limit and a health command.
//
//   ASSIGN_OR_RETURN(RunOutcome baseline, RunTrial({.argv = argv, .profile = program}, DenyNothing()));
//   ASSIGN_OR_RETURN(RunOutcome outcome, RunTrial({.argv = argv, .profile = program}, DenyOnly(denied)));
//
// What runs when the time is over is ended. Effects; tolerance.h judges.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "insight/trial/supervised.h"
#include "insight/trial/tolerance.h"

namespace portcullis::insight {

struct TrialOptions {
  std::vector<std::string> argv;
  bpf::Program profile;
  uint32_t flags = 0;
  std::chrono::milliseconds time{std::chrono::seconds(30)};
  // Run again and again, unfiltered, until it succeeds, and once more after `settle`: then the program is healthy and
  // the run is over. Empty: a program that still runs when its time is over has done well.
  std::vector<std::string> health;
  std::chrono::milliseconds settle{1000};
  std::chrono::milliseconds grace{5000};  // between SIGTERM and SIGKILL
  std::vector<std::string> helper{"/proc/self/exe", "__under-filter"};
  std::optional<std::vector<std::string>> env;
  std::function<bool()> stop;  // true: end the run, it is kCancelled; may be empty
};

using WhatToDeny = std::function<bool(const DeniedCase&)>;
WhatToDeny DenyNothing();
WhatToDeny DenyOnly(const DeniedCase& denied);
WhatToDeny DenyAll();

// RunOutcome::denials has what was denied; `seen`, when given, all that the profile would deny.
Result<RunOutcome> RunTrial(const TrialOptions& options, const WhatToDeny& deny, Denials* seen = nullptr);

}  // namespace portcullis::insight
