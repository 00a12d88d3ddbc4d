#include "engine/seccomp/json_parts.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace portcullis::seccomp {

using nlohmann::json;

json ArgsToJson(std::span<const Arg> args) {
  json result = json::array();
  for (const Arg& arg : args) {
    json item = {{"index", arg.index}, {"value", arg.value}, {"op", CompareOpName(arg.op)}};
    if (arg.value_two != 0) item["valueTwo"] = arg.value_two;
    result.push_back(std::move(item));
  }
  return result;
}

json ArchsToJson(std::span<const Arch> archs) {
  json result = json::array();
  for (const Arch arch : archs) result.push_back(syscalls::InfoOf(arch).scmp_name);
  return result;
}

json FlagsToJson(std::span<const FilterFlag> flags) {
  json result = json::array();
  for (const FilterFlag flag : flags) result.push_back(FilterFlagName(flag));
  return result;
}

std::string ProfileErrorText(const Diagnostic& diagnostic) {
  std::string text = fmt::format("seccomp profile {}: ", diagnostic.file);
  if (!diagnostic.field.empty()) text += diagnostic.field + ": ";
  text += diagnostic.message;
  if (!diagnostic.hint.empty()) text += fmt::format(" ({})", diagnostic.hint);
  return text;
}

Result<Profile> ReadProfile(const json& root, const std::string& name, ParseMode mode, Dialect dialect,
                            Diagnostics* diagnostics) {
  ProfileReader reader(name, mode, dialect);
  Profile profile = reader.Read(root);
  const Diagnostics& found = reader.diagnostics();
  if (diagnostics != nullptr) diagnostics->insert(diagnostics->end(), found.begin(), found.end());
  const auto error = std::ranges::find(found, Severity::kError, &Diagnostic::severity);
  if (error != found.end()) return Fail(Code::kInvalidArgument, "{}", ProfileErrorText(*error));
  return profile;
}

}  // namespace portcullis::seccomp
