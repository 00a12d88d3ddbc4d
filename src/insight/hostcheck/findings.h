// What a host's facts mean for a seccomp rollout and for the evidence that is gathered there: the part "the node
// itself" of a preflight.
//
//   for (const HostFinding& finding : JudgeHost(facts)) fmt::print("{}: {}\n", finding.id, finding.text);
//
// Pure. Sources: seccomp(2), kernel/seccomp.c and kernel/audit.c; releases of runc and libseccomp in their changelogs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "insight/hostcheck/host_facts.h"

namespace portcullis::insight {

enum class Severity {
  kGood,     // as it should be, said so that its absence is not wondered at
  kNote,     // to know
  kWarning,  // evidence is weaker, or calls are slower, than they could be
  kProblem,  // the switch, or evidence of this host, cannot work
};
std::string_view NameOf(Severity severity);  // "good", "note", "warning", "problem"

struct HostFinding {
  std::string id;  // stable: "kernel-log", "actions-logged", "audit-excluded"
  Severity severity = Severity::kNote;
  std::string text;
  std::string remedy;  // "": nothing to do
};

// In a fixed order: kernel, seccomp, audit, logs, runtimes, cgroups.
std::vector<HostFinding> JudgeHost(const HostFacts& facts);

}  // namespace portcullis::insight
