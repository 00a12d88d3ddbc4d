// What a host lets be seen and done, for people and for programs.
//
//   HostReportText(insight::JudgeHost(insight::GatherHost({})))
//   HostReportJson(findings)[0]      {"id":"kernel-log","severity":"note","text":"...","remedy":"..."}
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "insight/hostcheck/findings.h"

namespace portcullis::cli {

std::string HostReportText(const std::vector<insight::HostFinding>& findings);
nlohmann::json HostReportJson(const std::vector<insight::HostFinding>& findings);
bool HasProblem(const std::vector<insight::HostFinding>& findings);

}  // namespace portcullis::cli
