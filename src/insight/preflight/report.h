// What preflight says: a verdict for each container and change, the calls that would be denied, and what to do.
//
//   report.Worst() == Verdict::kBreaks
//   report.verdicts[0].findings[0].remedy.text
//
// Pure values. Counts are of calls, times Unix nanoseconds.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "insight/evidence/evidence.h"
#include "insight/preflight/gaps.h"
#include "insight/preflight/judge.h"
#include "insight/preflight/subject.h"
#include "insight/preflight/target.h"

namespace portcullis::insight {

// From the best to the worst.
enum class Verdict {
  kNotAffected,
  kSafe,
  kTolerated,   // safe: something is denied, and the program goes on
  kIncomplete,  // the evidence does not tell
  kBreaks,
};
std::string_view NameOf(Verdict verdict);  // "SAFE (denied but tolerated)", as people read it
std::string_view IdOf(Verdict verdict);    // "tolerated", for machines

// One change that is looked at.
struct Scenario {
  Target after;
  // An upgrade: the release before. Without it the change is the switch: no profile before, the default after.
  std::optional<Target> before;
};
std::string LabelOf(const Scenario& scenario);

struct Caller {
  std::string executable;
  std::string comm;
  Phase phase = Phase::kUnknown;
  CallResult result = CallResult::kUnknown;
  int error = 0;  // of the recording
  CallFacts facts;
};

enum class RemedyKind { kNone, kDelta, kProfile, kUnconfined };
std::string_view NameOf(RemedyKind kind);

// The smallest change that lets a denied call through.
struct Remedy {
  RemedyKind kind = RemedyKind::kNone;
  std::string text;
  std::string delta_entry;                // for kDelta
  std::vector<std::string> capabilities;  // each would do as well: the profile allows the call with it
};

inline constexpr size_t kMostCallTexts = 5;

struct Finding {
  std::string syscall;  // "syscall_9999" where it has no name
  std::string arch;     // "x86_64"
  uint32_t number = 0;
  // As far as the answer depends on them; the calls of a finding may differ in others.
  std::vector<CallArgument> arguments;
  std::vector<std::string> calls;  // "socket(AF_ALG, SOCK_SEQPACKET)", the different ones, at most kMostCallTexts
  Judgement judgement;
  std::string decided;          // "EPERM by the default action"
  std::vector<Caller> callers;  // the most frequent first
  uint64_t count = 0;
  Remedy remedy;
};

struct ContainerVerdict {
  size_t subject = 0;   // index into Report::subjects
  size_t scenario = 0;  // index into Report::scenarios
  Verdict verdict = Verdict::kSafe;
  std::string reason;  // of kNotAffected
  std::string before;  // "Unconfined", "RuntimeDefault (containerd@1.7.29)"
  std::string after;
  std::vector<std::string> bounding;  // the capabilities that the profile was resolved for
  std::vector<Finding> findings;      // the gravest first
  std::vector<Gap> gaps;
  Coverage coverage;
  std::vector<std::string> traces;
};

struct Report {
  std::vector<Subject> subjects;
  std::vector<Scenario> scenarios;
  std::vector<ContainerVerdict> verdicts;  // subjects in order, for each every scenario
  // Containers of the evidence that matched no subject (when they are not judged).
  std::vector<std::string> unclaimed;

  Verdict Worst() const;
  size_t Count(Verdict verdict) const;
};

}  // namespace portcullis::insight
