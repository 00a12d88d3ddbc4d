#include "cli/profile/sarif.h"

#include <nlohmann/json.hpp>

#include "cli/output/sarif.h"

namespace portcullis::cli {
namespace {

std::string_view Level(Severity severity) { return severity == Severity::kError ? "error" : "warning"; }

}  // namespace

nlohmann::json ToSarif(const Diagnostics& diagnostics, const std::string& version) {
  nlohmann::json results = nlohmann::json::array();
  for (const Diagnostic& diagnostic : diagnostics) {
    const std::string hint = diagnostic.hint.empty() ? "" : " (" + diagnostic.hint + ")";
    results.push_back(
        {{"ruleId", "seccomp-profile"},
         {"level", Level(diagnostic.severity)},
         {"message", {{"text", diagnostic.message + hint}}},
         {"locations", nlohmann::json::array({SarifLocation(diagnostic.file, diagnostic.line, diagnostic.field)})}});
  }
  return SarifLog(version, nlohmann::json::array({{{"id", "seccomp-profile"}}}), std::move(results));
}

nlohmann::json ToJson(const Diagnostics& diagnostics) {
  nlohmann::json list = nlohmann::json::array();
  for (const Diagnostic& diagnostic : diagnostics) {
    nlohmann::json entry = {{"severity", Level(diagnostic.severity)},
                            {"file", diagnostic.file},
                            {"field", diagnostic.field},
                            {"message", diagnostic.message}};
    if (!diagnostic.hint.empty()) entry["hint"] = diagnostic.hint;
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace portcullis::cli
