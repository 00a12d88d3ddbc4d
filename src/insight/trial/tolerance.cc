#include "insight/trial/tolerance.h"

#include <fmt/core.h>

namespace portcullis::insight {

std::string_view NameOf(Survival survival) {
  switch (survival) {
    case Survival::kSurvives:
      return "survives";
    case Survival::kFails:
      return "fails";
    case Survival::kNotReached:
      return "not reached";
  }
  return "";
}

std::string EndText(const std::optional<int>& exit_code) {
  if (!exit_code) return "still running";
  if (*exit_code > 128 && *exit_code <= 128 + 64) return fmt::format("killed by signal {}", *exit_code - 128);
  return fmt::format("exit status {}", *exit_code);
}

std::string WhyNoBaseline(const RunOutcome& baseline) {
  if (baseline.healthy == false) return "the health command fails with nothing denied";
  if (baseline.healthy == true && baseline.exit_code) {
    return fmt::format("the program ends ({}) before its health can be judged", EndText(baseline.exit_code));
  }
  if (baseline.exit_code && *baseline.exit_code != 0) {
    return fmt::format("with nothing denied it ends with {}", EndText(baseline.exit_code));
  }
  return "";
}

TrialVerdict JudgeTrial(const RunOutcome& baseline, const RunOutcome& trial) {
  if (trial.denials.empty()) return {Survival::kNotReached, "it did not make the call this time"};
  if (trial.exit_code != baseline.exit_code) {
    return {Survival::kFails, fmt::format("{} instead of {}", EndText(trial.exit_code), EndText(baseline.exit_code))};
  }
  if (trial.healthy == false) return {Survival::kFails, "the health command fails"};
  std::string why = EndText(trial.exit_code);
  if (trial.healthy == true) why += ", healthy";
  return {Survival::kSurvives, why};
}

}  // namespace portcullis::insight
