#include "cli/evidence_explain.h"

#include "base/strings.h"
#include "base/try.h"
#include "cli/evidence/evidence_table.h"
#include "cli/output/markup.h"
#include "cli/preflight/words.h"
#include "insight/preflight/preflight.h"

namespace portcullis::cli {
namespace {

constexpr std::string_view kIndent = "  ";
constexpr std::string_view kDeeper = "    ";
constexpr size_t kColumns = 120;

bool WasDenied(const insight::Call& call) {
  return call.result != insight::CallResult::kAllowed && call.result != insight::CallResult::kUnknown;
}

// The denied calls alone, each as one whose fate without the filter is not known.
insight::Evidence DenialsOf(const insight::Evidence& evidence) {
  insight::Evidence out;
  out.source = evidence.source;
  out.completeness.unseen = evidence.completeness.unseen;
  for (const auto& [call, facts] : evidence.calls()) {
    if (!WasDenied(call)) continue;
    insight::Call denied = call;
    denied.workload = out.AddWorkload(evidence.workloads().at(call.workload));
    if (denied.result == insight::CallResult::kErrno) denied.error = 0;
    out.Add(std::move(denied), facts);
  }
  return out;
}

void AddLine(std::string& out, std::string_view indent, const std::string& text) {
  out += Wrapped(ForTerminal(text), indent, kColumns);
}

void AddFinding(std::string& out, const insight::Finding& finding) {
  AddLine(out, kIndent, FindingTitle(finding));
  for (const insight::Caller& caller : finding.callers) AddLine(out, kDeeper, CallerText(caller));
  AddLine(out, kDeeper, finding.judgement.why);
  if (const std::string remedy = RemedyText(finding); !remedy.empty()) AddLine(out, kDeeper, "-> " + remedy);
}

// Denied in the recording, and not by this profile.
void AddOthers(std::string& out, const insight::Evidence& denials, const insight::Target& profile,
               const insight::Enforced& enforced) {
  for (const auto& [call, facts] : denials.calls()) {
    if (insight::Judge(enforced, nullptr, call)) continue;
    AddLine(out, "",
            fmt::format("{} ({}, {}): not denied by {}; another profile was in force, or other capabilities",
                        CallText(call), call.executable.empty() ? call.comm : call.executable, NameOf(call.result),
                        profile.name));
  }
}

}  // namespace

Result<std::string> ExplainDenials(const insight::Evidence& evidence, const insight::Target& profile,
                                   const std::vector<std::string>& traces) {
  insight::Evidence denials = DenialsOf(evidence);
  if (denials.calls().empty()) return std::string("nothing was denied\n");
  insight::Question question;
  question.scenarios = {{.after = profile, .before = std::nullopt}};
  question.traces.push_back({.name = "", .evidence = denials, .as = std::nullopt});
  ASSIGN_OR_RETURN(const insight::Report report, insight::Preflight(std::move(question)));
  std::string out;
  for (const insight::ContainerVerdict& verdict : report.verdicts) {
    if (verdict.findings.empty()) continue;
    const insight::Subject& subject = report.subjects[verdict.subject];
    out += ForTerminal(TitleOf(subject)) + "\n";
    for (const insight::Finding& finding : verdict.findings) AddFinding(out, finding);
    if (traces.empty()) continue;
    insight::ContainerVerdict of_traces = verdict;
    of_traces.traces = traces;
    if (const std::string command = DeniedCommand(report, of_traces); !command.empty()) {
      out += std::string(kIndent) + "profile: " + ForTerminal(command) + "\n";
    }
  }
  ASSIGN_OR_RETURN(const auto bounding, insight::BoundingOf(profile, {}));
  ASSIGN_OR_RETURN(const insight::Enforced enforced, insight::Enforce(profile, bounding));
  AddOthers(out, denials, profile, enforced);
  return out;
}

}  // namespace portcullis::cli
