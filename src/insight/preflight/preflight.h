// Preflight: what switching seccompDefault on, or a new release of the runtime, would do to each container, and why.
//
//   Question question{.subjects = subjects, .traces = {{"web.jsonl", evidence}}, .scenarios = {{.after = target}}};
//
//   ASSIGN_OR_RETURN(Report report, Preflight(question));
//
//   report.Worst() == Verdict::kBreaks
//
// Every call that was seen is put to the profile that the container would get. Pure: values in, values out.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "insight/preflight/gaps.h"
#include "insight/preflight/missing.h"
#include "insight/preflight/report.h"
#include "insight/preflight/subject.h"
#include "insight/preflight/target.h"
#include "insight/preflight/trace.h"

namespace portcullis::insight {

struct Question {
  std::vector<Subject> subjects;
  std::vector<Trace> traces;
  std::vector<Scenario> scenarios;
  GapOptions gaps;
  // Containers that only the evidence knows are judged too, as if their manifest said nothing.
  bool judge_unclaimed = true;
  // Logs were written under this profile (mostly the log twin of the target).
  std::optional<Target> logged_under;
  // The switch is on, also before an upgrade: containers whose manifest says nothing have the default.
  bool switch_is_on = true;
};

// `progress` is told how many of how many verdicts are done; may be empty. Errors: an unknown capability in a manifest,
// a profile that cannot be resolved for the target.
Result<Report> Preflight(Question question, const std::function<void(size_t, size_t)>& progress = {});

}  // namespace portcullis::insight
