// A JSON tree as YAML text, laid out as sigs.k8s.io/yaml does: keys sorted, two blanks of indentation, lists at the
// column of their key, strings quoted only when a YAML 1.1 reader would take them for something else.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace portcullis::cli {

std::string ToYaml(const nlohmann::json& value);  // ends in a newline

}  // namespace portcullis::cli
