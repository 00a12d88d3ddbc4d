#include "cli/output/sarif.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace portcullis::cli {

nlohmann::json SarifLog(const std::string& version, nlohmann::json rules, nlohmann::json results) {
  const nlohmann::json driver = {{"name", "portcullis"}, {"version", version}, {"rules", std::move(rules)}};
  return {{"version", "2.1.0"},
          {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
          {"runs", nlohmann::json::array({{{"tool", {{"driver", driver}}}, {"results", std::move(results)}}})}};
}

nlohmann::json SarifLocation(const std::string& file, int line, const std::string& logical) {
  nlohmann::json location = {
      {"physicalLocation", {{"artifactLocation", {{"uri", file}}}, {"region", {{"startLine", std::max(line, 1)}}}}}};
  if (!logical.empty()) location["logicalLocations"] = nlohmann::json::array({{{"fullyQualifiedName", logical}}});
  return location;
}

}  // namespace portcullis::cli
