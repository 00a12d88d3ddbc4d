// Which denials does a program survive? Judged from runs of it: one with nothing denied, then one for each denied call.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "insight/trial/denials.h"

namespace portcullis::insight {

// How one run went.
struct RunOutcome {
  std::optional<int> exit_code;  // 128+signal when killed; nullopt: it still ran when its time was over
  std::optional<bool> healthy;   // what the health command said at the end; nullopt: none was given
  Denials denials;               // what was denied to it
  std::string output;            // the end of what it wrote
};

enum class Survival {
  kSurvives,
  kFails,
  kNotReached,  // it did not make the call this time
};
std::string_view NameOf(Survival survival);  // "survives"

struct TrialVerdict {
  Survival survival = Survival::kNotReached;
  std::string why;  // "exit status 1 instead of 0"
};

// Why a program cannot be judged by comparison: it fails with nothing denied. "": it can.
std::string WhyNoBaseline(const RunOutcome& baseline);

TrialVerdict JudgeTrial(const RunOutcome& baseline, const RunOutcome& trial);

// "exit status 0", "killed by signal 31", "still running".
std::string EndText(const std::optional<int>& exit_code);

}  // namespace portcullis::insight
