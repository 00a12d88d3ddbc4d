#include "insight/trial/denials.h"

namespace portcullis::insight {

void AddDenial(Denials& denials, const DeniedCase& denied, const std::string& executable, const std::string& location) {
  DenialFacts& facts = denials[denied];
  ++facts.count;
  if (!executable.empty() && facts.executables.size() < DenialFacts::kMaxExecutables) {
    facts.executables.insert(executable);
  }
  if (facts.location.empty()) facts.location = location;
}

Evidence ToEvidence(const Denials& denials, const std::string& command) {
  Evidence out;
  out.source = "try";
  const size_t workload = out.AddWorkload({.command = command});
  for (const auto& [denied, facts] : denials) {
    out.Add({.workload = workload,
             .executable = facts.executables.empty() ? "" : *facts.executables.begin(),
             .audit_arch = denied.audit_arch,
             .number = denied.number,
             .arguments = denied.arguments,
             .result = denied.answer.result,
             .error = denied.answer.error},
            {.count = facts.count, .location = facts.location});
  }
  out.completeness.unseen = {"calls that the profile allows", "calls that a rule answers with SIGSYS (SCMP_ACT_TRAP)"};
  return out;
}

}  // namespace portcullis::insight
