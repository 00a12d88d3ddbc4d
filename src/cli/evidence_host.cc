// portcullis evidence host: what this host lets be seen and done.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/evidence/host_report.h"
#include "cli/evidence_verbs.h"
#include "insight/hostcheck/findings.h"
#include "insight/hostcheck/gather.h"

namespace portcullis::cli {
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
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  const std::string text =
      format == "json" ? HostReportJson(findings).dump(2, ' ', false, kReplace) + "\n" : HostReportText(findings);
  std::fputs(text.c_str(), stdout);
  return HasProblem(findings) ? 1 : 0;
}

}  // namespace portcullis::cli
