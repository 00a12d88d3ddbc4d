#include "cli/evidence/host_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace portcullis::cli {

std::string HostReportText(const std::vector<insight::HostFinding>& findings) {
  std::string out;
  for (const insight::HostFinding& finding : findings) {
    out += fmt::format("{:<8} {}: {}\n", NameOf(finding.severity), finding.id, finding.text);
    if (!finding.remedy.empty()) out += fmt::format("         -> {}\n", finding.remedy);
  }
  return out;
}

nlohmann::json HostReportJson(const std::vector<insight::HostFinding>& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const insight::HostFinding& finding : findings) {
    nlohmann::json one{{"id", finding.id}, {"severity", NameOf(finding.severity)}, {"text", finding.text}};
    if (!finding.remedy.empty()) one["remedy"] = finding.remedy;
    list.push_back(std::move(one));
  }
  return list;
}

bool HasProblem(const std::vector<insight::HostFinding>& findings) {
  return std::ranges::any_of(findings, [](const auto& one) { return one.severity == insight::Severity::kProblem; });
}

}  // namespace portcullis::cli
