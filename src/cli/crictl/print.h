// The output forms of crictl: JSON, YAML and Go templates of one document.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/crictl/options.h"
#include "cli/crictl/session.h"

namespace portcullis::cli {

enum class Format { kTable, kJson, kYaml, kGoTemplate };

// The format that `output` asks for, or `fallback` when it asks for none; an error names those that exist. With
// kGoTemplate the template must be there and parse: a typing error is told before the runtime is asked.
Result<Format> ChooseFormat(const OutputOptions& output, Format fallback);

// Prints one document; `format` is not kTable.
Result<void> PrintDocument(Session& session, const nlohmann::json& document, Format format,
                           const OutputOptions& output);

// {"status": ..., and one key per entry of `info`}. A value that begins with { is parsed and inlined; of any other the
// quotes around it are taken off (C5 of the CRI notes; crictl's rule).
Result<nlohmann::json> StatusDocument(nlohmann::json status, const std::map<std::string, std::string>& info);

// One document as it is, several as a list.
nlohmann::json OneOrMany(std::vector<nlohmann::json> documents);

// "2026-11-23T20:26:01.553747854Z"; the year 1 for `unset`, as Go prints its zero time.
std::string Timestamp(int64_t unix_nanoseconds);
inline constexpr std::string_view kNoTimestamp = "0001-01-01T00:00:00Z";

// "Labels:\n\tk -> v\n" for verbose output; nothing when the map is empty.
void PrintMap(Session& session, std::string_view title, const std::map<std::string, std::string>& map);

}  // namespace portcullis::cli
