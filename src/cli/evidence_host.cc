// portcullis evidence host: what this host lets be seen and done.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "cli/command_line.h"
#include "cli/evidence_verbs.h"
#include "insight/hostcheck/findings.h"
#include "insight/hostcheck/gather.h"

namespace portcullis::cli {
namespace {

std::string AsText(const std::vector<insight::HostFinding>& findings) {
  std::string out;
  for (const insight::HostFinding& finding : findings) {
    out += fmt::format("{:<8} {}: {}\n", NameOf(finding.severity), finding.id, finding.text);
    if (!finding.remedy.empty()) out += fmt::format("         -> {}\n", finding.remedy);
  }
  return out;
}

std::string AsJson(const std::vector<insight::HostFinding>& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const insight::HostFinding& finding : findings) {
    nlohmann::json one{{"id", finding.id}, {"severity", NameOf(finding.severity)}, {"text", finding.text}};
    if (!finding.remedy.empty()) one["remedy"] = finding.remedy;
    list.push_back(std::move(one));
  }
  return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

int EvidenceHostMain(const std::vector<std::string>& args) {
  std::string format = "text";
  CommandLine line(
      "portcullis evidence host",
      "What this host's kernel, audit system and runtimes let be seen and done: kernel release, seccomp and "
      "audit settings, rules and limits that hide records, versions.");
  line.Text("-o,--output", &format, "text or json");
  line.Footer("Exit codes: 0 no problem, 1 a problem, 2 an error.");
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kEvidenceError;
  if (format != "text" && format != "json") {
    return ReportEvidenceError({Code::kInvalidArgument, "--output=" + format + ": expected text or json"});
  }
  const auto findings = insight::JudgeHost(insight::GatherHost({}));
  std::fputs((format == "json" ? AsJson(findings) : AsText(findings)).c_str(), stdout);
  const bool problem =
      std::ranges::any_of(findings, [](const auto& one) { return one.severity == insight::Severity::kProblem; });
  return problem ? 1 : 0;
}

}  // namespace portcullis::cli
