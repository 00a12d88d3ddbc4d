// A preflight report in the forms that people and pipelines read.
//
//   std::fputs(ReportText(report, {.colour = isatty(1) == 1}).c_str(), stdout);
//
// Names of programs and paths in a report come from the programs; every form keeps them from being more than text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "insight/preflight/preflight.h"

namespace portcullis::cli {

struct TextOptions {
  bool colour = false;
  bool verbose = false;  // also denied calls that change nothing, and every caller
  size_t columns = 110;
};
std::string ReportText(const insight::Report& report, const TextOptions& options);

// {"portcullisPreflight": 1, "summary": {...}, "scenarios": [...], "containers": [{"name", "verdict", "findings",
// ...}]}
nlohmann::json ReportJson(const insight::Report& report);

// SARIF 2.1.0: one result a finding or gap; "breaks" is an error, what is not known a warning, what is tolerated a
// note.
nlohmann::json ReportSarif(const insight::Report& report, const std::string& version);

// JUnit XML: one suite a scenario, one case a container; BREAKS is a failure, UNKNOWN an error, NOT AFFECTED is
// skipped.
std::string ReportJunit(const insight::Report& report);

// One HTML page that needs nothing else: no network, no other file.
std::string ReportHtml(const insight::Report& report, const std::string& version);

// 0 safe, 1 something breaks, 3 the evidence does not tell.
int ExitCodeOf(insight::Verdict worst);
inline constexpr int kExitBreaks = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitIncomplete = 3;

}  // namespace portcullis::cli
