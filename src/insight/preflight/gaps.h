// What evidence about one container does not tell, and how to close each gap. A verdict of "safe" needs none of them.
//
//   std::vector<Gap> gaps = FindGaps(subject, seen, options);
//
// Pure.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "insight/evidence/evidence.h"
#include "insight/preflight/subject.h"

namespace portcullis::insight {

enum class GapKind {
  kNoEvidence,    // nothing about this container at all
  kLosses,        // the source lost events, or was cut off
  kDenials,       // the source does not see calls that a filter denies
  kUnseen,        // something else that the source cannot see
  kAllowed,       // a log of denials: calls that the profile of that time allows were not written
  kArchitecture,  // recorded on another kind of machine
  kArguments,     // an answer depends on arguments that were not seen
  kPhases,        // parts of the container's life were not seen
  kDuration,      // too short
};
std::string_view NameOf(GapKind kind);  // "noEvidence", "losses", ...
// Gaps that a user may accept by name (--accept); losses and unseen denials are not among them.
bool MayBeAccepted(GapKind kind);

struct Gap {
  GapKind kind = GapKind::kNoEvidence;
  std::string what;
  std::string remedy;
};

struct GapOptions {
  std::chrono::seconds least_duration{std::chrono::minutes(10)};  // between the first call and the last
  std::set<GapKind> accepted;
};

// What was seen of one container, over all traces.
struct Coverage {
  size_t traces = 0;
  uint64_t calls = 0;
  size_t distinct = 0;
  int64_t first = 0;  // Unix nanoseconds; 0: not known
  int64_t last = 0;
  std::set<Phase> phases;
  Completeness completeness;        // losses of every trace; unseen by all of them
  bool foreign = false;             // calls of an architecture that the target cannot run
  bool allowed_are_logged = false;  // a log under a profile that denies all that the target denies
};

std::vector<Gap> FindGaps(const Subject& subject, const Coverage& coverage, const GapOptions& options);

}  // namespace portcullis::insight
