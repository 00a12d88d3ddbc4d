// Values and formats as Go's fmt package prints them. Not for other rooms.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

namespace portcullis::cli::go_template {

// %v: `map[a:1 b:[x y]]`, `<nil>`, `true`, text as it is.
std::string GoPrint(const nlohmann::json& value);

// fmt.Sprintf with the verbs v s q d x X c t f e g and %%, flags - + 0 # and blank, width and precision. A wrong type
// or a missing argument is shown in the text, as Go does: "%!d(string=hi)".
std::string GoPrintf(const std::string& format, std::span<const nlohmann::json> arguments);

}  // namespace portcullis::cli::go_template
