// The functions that templates may call. Not for other rooms.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace portcullis::cli::go_template {

bool IsFunction(std::string_view name);

// `and` and `or` stop at the first value that decides and so belong to the executor.
bool IsShortCircuit(std::string_view name);

// Go's truth: false, 0, "", nil and empty lists and maps are false.
bool Truth(const nlohmann::json& value);

// The error has no place; its text is Go's: `index of untyped nil`, `wrong number of args for len: want 1 got 0`.
Result<nlohmann::json> CallFunction(const std::string& name, std::span<const nlohmann::json> arguments);

}  // namespace portcullis::cli::go_template
