#include "insight/preflight/report.h"

#include <algorithm>

namespace portcullis::insight {

std::string_view NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNotAffected:
      return "NOT AFFECTED";
    case Verdict::kSafe:
      return "SAFE";
    case Verdict::kTolerated:
      return "SAFE (denied but tolerated)";
    case Verdict::kIncomplete:
      return "UNKNOWN (evidence incomplete)";
    case Verdict::kBreaks:
      return "BREAKS";
  }
  return "";
}

std::string_view IdOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNotAffected:
      return "notAffected";
    case Verdict::kSafe:
      return "safe";
    case Verdict::kTolerated:
      return "tolerated";
    case Verdict::kIncomplete:
      return "incomplete";
    case Verdict::kBreaks:
      return "breaks";
  }
  return "";
}

std::string_view NameOf(RemedyKind kind) {
  switch (kind) {
    case RemedyKind::kNone:
      return "none";
    case RemedyKind::kDelta:
      return "delta";
    case RemedyKind::kProfile:
      return "profile";
    case RemedyKind::kUnconfined:
      return "unconfined";
  }
  return "";
}

std::string LabelOf(const Scenario& scenario) {
  return scenario.before ? scenario.before->name + " -> " + LabelOf(scenario.after) : LabelOf(scenario.after);
}

Verdict Report::Worst() const {
  Verdict worst = Verdict::kNotAffected;
  for (const ContainerVerdict& one : verdicts) worst = std::max(worst, one.verdict);
  return worst;
}

size_t Report::Count(Verdict verdict) const {
  return static_cast<size_t>(std::ranges::count(verdicts, verdict, &ContainerVerdict::verdict));
}

}  // namespace portcullis::insight
