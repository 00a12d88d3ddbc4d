#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "cli/preflight/reports.h"
#include "cli/preflight/words.h"

namespace portcullis::cli {
namespace {

using nlohmann::json;

void PutText(json& object, const char* field, const std::string& text) {
  if (!text.empty()) object[field] = text;
}

void PutTime(json& object, const char* field, int64_t nanos) {
  if (nanos != 0) object[field] = base::FormatRfc3339Nano(nanos);
}

json CallerJson(const insight::Caller& caller) {
  json out{{"count", caller.facts.count}, {"result", NameOf(caller.result)}};
  PutText(out, "executable", caller.executable);
  PutText(out, "comm", caller.comm);
  if (caller.phase != insight::Phase::kUnknown) out["phase"] = NameOf(caller.phase);
  if (caller.error != 0) out["errno"] = seccomp::ErrnoName(static_cast<uint32_t>(caller.error));
  PutTime(out, "first", caller.facts.first);
  PutTime(out, "last", caller.facts.last);
  PutText(out, "location", caller.facts.location);
  PutText(out, "symbol", caller.facts.symbol);
  if (caller.facts.address != 0) out["address"] = fmt::format("0x{:x}", caller.facts.address);
  return out;
}

json FindingJson(const insight::Finding& finding) {
  const insight::Judgement& judgement = finding.judgement;
  json out{{"syscall", finding.syscall},
           {"architecture", finding.arch},
           {"number", finding.number},
           {"calls", finding.calls},
           {"effect", NameOf(judgement.effect)},
           {"certain", judgement.certain},
           {"action", seccomp::ActionName(judgement.answer.decision.action)},
           {"decidedBy", finding.decided},
           {"why", judgement.why},
           {"count", finding.count}};
  if (const int answer = ErrnoOf(judgement.answer); answer > 0) {
    out["errno"] = seccomp::ErrnoName(static_cast<uint32_t>(answer));
  }
  if (judgement.answer.decision.rule) out["rule"] = fmt::format("/syscalls/{}", *judgement.answer.decision.rule);
  for (const insight::CallArgument& argument : finding.arguments)
    out["args"][std::to_string(argument.index)] = argument.value;
  if (judgement.known != nullptr) {
    out["known"] = {{"name", judgement.known->name},
                    {"effect", NameOf(judgement.known->effect)},
                    {"about", judgement.known->about},
                    {"see", judgement.known->see}};
  }
  out["callers"] = json::array();
  for (const insight::Caller& caller : finding.callers) out["callers"].push_back(CallerJson(caller));
  json remedy{{"kind", NameOf(finding.remedy.kind)}, {"text", RemedyText(finding)}};
  PutText(remedy, "allow", finding.remedy.delta_entry);
  if (!finding.remedy.capabilities.empty()) remedy["capabilities"] = finding.remedy.capabilities;
  out["remedy"] = std::move(remedy);
  return out;
}

json ScenarioJson(const insight::Report& report, size_t index) {
  const insight::Scenario& scenario = report.scenarios[index];
  json out{{"label", LabelOf(scenario)},
           {"runtime", scenario.after.name},
           {"kernel", seccomp::ToString(scenario.after.kernel)},
           {"architecture", syscalls::InfoOf(scenario.after.host).docker_name}};
  if (scenario.before) out["from"] = scenario.before->name;
  json counts = json::object();
  for (const insight::ContainerVerdict& one : report.verdicts) {
    if (one.scenario != index) continue;
    json& count = counts[std::string(IdOf(one.verdict))];
    count = count.is_null() ? 1 : count.get<int>() + 1;
  }
  out["verdicts"] = std::move(counts);
  return out;
}

json VerdictJson(const insight::Report& report, const insight::ContainerVerdict& verdict) {
  const insight::Subject& subject = report.subjects[verdict.subject];
  json out{{"name", NameOf(subject)},      {"role", k8s::ContainerRoleName(subject.role)},
           {"scenario", verdict.scenario}, {"verdict", IdOf(verdict.verdict)},
           {"before", verdict.before},     {"after", verdict.after},
           {"declared", subject.declared}};
  PutText(out, "kind", subject.kind);
  PutText(out, "namespace", subject.pod_namespace);
  PutText(out, "pod", subject.pod);
  PutText(out, "container", subject.container);
  PutText(out, "file", subject.file);
  if (subject.line != 0) out["line"] = subject.line;
  PutText(out, "reason", verdict.reason);
  PutText(out, "profileCommand", RemedyCommand(report, verdict));
  out["findings"] = json::array();
  for (const insight::Finding& finding : verdict.findings) out["findings"].push_back(FindingJson(finding));
  out["missing"] = json::array();
  for (const insight::Gap& gap : verdict.gaps) {
    out["missing"].push_back({{"kind", NameOf(gap.kind)}, {"what", gap.what}, {"remedy", gap.remedy}});
  }
  const insight::Coverage& coverage = verdict.coverage;
  json seen{{"traces", verdict.traces}, {"calls", coverage.calls}, {"distinct", coverage.distinct}};
  PutTime(seen, "first", coverage.first);
  PutTime(seen, "last", coverage.last);
  seen["phases"] = json::array();
  for (const insight::Phase phase : coverage.phases) seen["phases"].push_back(NameOf(phase));
  out["seen"] = std::move(seen);
  return out;
}

}  // namespace

json ReportJson(const insight::Report& report) {
  json out{{"portcullisPreflight", 1},
           {"worst", IdOf(report.Worst())},
           {"exitCode", ExitCodeOf(report.Worst())},
           {"scenarios", json::array()},
           {"containers", json::array()}};
  for (size_t i = 0; i < report.scenarios.size(); ++i) out["scenarios"].push_back(ScenarioJson(report, i));
  for (const insight::ContainerVerdict& one : report.verdicts) out["containers"].push_back(VerdictJson(report, one));
  if (!report.unclaimed.empty()) out["notJudged"] = report.unclaimed;
  return out;
}

}  // namespace portcullis::cli
