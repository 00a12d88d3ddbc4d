#include "cli/output/sarif.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <string_view>

namespace portcullis::cli {
namespace {

// RFC 3986: a path as a reference; what may not stand in one is escaped. A URL is one already.
std::string ToUri(const std::string& file) {
  if (file.find("://") != std::string::npos) return file;
  constexpr std::string_view kPlain = "-._~/!$&'()*+,;=@:";
  // A colon in the first segment would end a scheme.
  std::string uri = file.find(':') < file.find('/') ? "./" : "";
  for (const char c : file) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || kPlain.find(c) != std::string_view::npos;
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return uri;
}

}  // namespace

nlohmann::json SarifLog(const std::string& version, nlohmann::json rules, nlohmann::json results) {
  const nlohmann::json driver = {{"name", "portcullis"}, {"version", version}, {"rules", std::move(rules)}};
  return {{"version", "2.1.0"},
          {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
          {"runs", nlohmann::json::array({{{"tool", {{"driver", driver}}}, {"results", std::move(results)}}})}};
}

nlohmann::json SarifLocation(const std::string& file, int line, const std::string& logical) {
  nlohmann::json location = {
      {"physicalLocation",
       {{"artifactLocation", {{"uri", ToUri(file)}}}, {"region", {{"startLine", std::max(line, 1)}}}}}};
  if (!logical.empty()) location["logicalLocations"] = nlohmann::json::array({{{"fullyQualifiedName", logical}}});
  return location;
}

}  // namespace portcullis::cli
