// SARIF 2.1.0 (OASIS), the form that code hosts show beside the lines of a change: what every tool's report needs
// around its results.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace portcullis::cli {

// One run of the tool "portcullis". `rules` and `results` are lists of SARIF's reportingDescriptor and result objects.
nlohmann::json SarifLog(const std::string& version, nlohmann::json rules, nlohmann::json results);

// A physicalLocation of a file; a line below 1 is the first. With `logical` (a field, a container) also where in it.
nlohmann::json SarifLocation(const std::string& file, int line, const std::string& logical);

}  // namespace portcullis::cli
