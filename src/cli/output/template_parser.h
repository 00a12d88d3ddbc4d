// Text of a template to its tree. Not for other rooms.
#pragma once

#include <string_view>

#include "base/result.h"
#include "cli/output/template_ast.h"

namespace portcullis::cli::go_template {

Result<Program> ParseProgram(std::string_view text);

}  // namespace portcullis::cli::go_template
