// Findings as SARIF 2.1.0 (OASIS), the form that code hosts show beside the lines of a change.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/diagnostic.h"

namespace portcullis::cli {

// One run of the tool "portcullis"; `field` becomes the logical location (a JSON pointer).
nlohmann::json ToSarif(const Diagnostics& diagnostics, const std::string& version);

// [{"severity": "warning", "file": ..., "field": ..., "message": ..., "hint": ...}]
nlohmann::json ToJson(const Diagnostics& diagnostics);

}  // namespace portcullis::cli
