// What the JSON forms of Profile and ResolvedProfile share. Private to this room.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "base/diagnostic.h"
#include "base/result.h"
#include "engine/seccomp/profile.h"
#include "engine/seccomp/profile_reader.h"

namespace portcullis::seccomp {

nlohmann::json ArgsToJson(std::span<const Arg> args);
nlohmann::json ArchsToJson(std::span<const Arch> archs);
nlohmann::json FlagsToJson(std::span<const FilterFlag> flags);

// Reads with one ProfileReader; the error is its first error. Diagnostics are appended to `diagnostics` when given.
Result<Profile> ReadProfile(const nlohmann::json& root, const std::string& name, ParseMode mode, Dialect dialect,
                            Diagnostics* diagnostics);

// "seccomp profile NAME: POINTER: MESSAGE (HINT)"
std::string ProfileErrorText(const Diagnostic& diagnostic);

}  // namespace portcullis::seccomp
