// Whose a recording's calls are: each workload of the evidence goes to the subject that fits it best; what fits none is
// a subject itself.
//
//   Attribution of = Attribute(traces, true, subjects);      // may add to subjects
//   for (const SeenCall& seen : of.calls[0]) ...             // of the first subject
//
// Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "insight/evidence/evidence.h"
#include "insight/preflight/subject.h"
#include "insight/preflight/trace.h"

namespace portcullis::insight {

struct SeenCall {
  size_t trace;  // index into the traces
  const Call* call;
  const CallFacts* facts;
};

struct Attribution {
  std::vector<std::vector<SeenCall>> calls;  // of each subject, in the traces' order
  std::vector<std::set<size_t>> traces;      // that have a workload of the subject, with or without calls
  std::vector<std::string> unclaimed;        // titles of what fits no subject, where that is not judged
};

// `judge_unclaimed`: what fits no subject is added to `subjects`. Views into `traces`.
Attribution Attribute(const std::vector<Trace>& traces, bool judge_unclaimed, std::vector<Subject>& subjects);

}  // namespace portcullis::insight
