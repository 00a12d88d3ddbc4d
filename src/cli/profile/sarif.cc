#include "cli/profile/sarif.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace portcullis::cli {
namespace {

std::string_view Level(Severity severity) { return severity == Severity::kError ? "error" : "warning"; }

}  // namespace

nlohmann::json ToSarif(const Diagnostics& diagnostics, const std::string& version) {
  nlohmann::json results = nlohmann::json::array();
  for (const Diagnostic& diagnostic : diagnostics) {
    const std::string hint = diagnostic.hint.empty() ? "" : " (" + diagnostic.hint + ")";
    nlohmann::json location = {{"physicalLocation",
                                {{"artifactLocation", {{"uri", diagnostic.file}}},
                                 {"region", {{"startLine", std::max(diagnostic.line, 1)}}}}}};
    if (!diagnostic.field.empty()) {
      location["logicalLocations"] = nlohmann::json::array({{{"fullyQualifiedName", diagnostic.field}}});
    }
    results.push_back({{"ruleId", "seccomp-profile"},
                       {"level", Level(diagnostic.severity)},
                       {"message", {{"text", diagnostic.message + hint}}},
                       {"locations", nlohmann::json::array({location})}});
  }
  const nlohmann::json driver = {
      {"name", "portcullis"}, {"version", version}, {"rules", nlohmann::json::array({{{"id", "seccomp-profile"}}})}};
  return {{"version", "2.1.0"},
          {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
          {"runs", nlohmann::json::array({{{"tool", {{"driver", driver}}}, {"results", results}}})}};
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
