#include "engine/seccomp/profile_json.h"

#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/try.h"
#include "engine/seccomp/check.h"
#include "engine/seccomp/json_parts.h"
#include "engine/seccomp/profile_reader.h"

namespace portcullis::seccomp {
namespace {

using nlohmann::json;

json ConditionsToJson(const Conditions& conditions) {
  json result = json::object();
  if (!conditions.arches.empty()) result["arches"] = conditions.arches;
  if (!conditions.caps.empty()) result["caps"] = conditions.caps;
  if (conditions.min_kernel) result["minKernel"] = ToString(*conditions.min_kernel);
  return result;
}

json RuleToJson(const Rule& rule) {
  json result = {{"action", ActionName(rule.action)}};
  if (rule.singular_name && rule.names.size() == 1) {
    result["name"] = rule.names.front();
  } else {
    result["names"] = rule.names;
  }
  if (rule.errno_ret) result["errnoRet"] = *rule.errno_ret;
  if (!rule.errno_name.empty()) result["errno"] = rule.errno_name;
  if (!rule.args.empty()) result["args"] = ArgsToJson(rule.args);
  if (!rule.includes.empty()) result["includes"] = ConditionsToJson(rule.includes);
  if (!rule.excludes.empty()) result["excludes"] = ConditionsToJson(rule.excludes);
  if (!rule.comment.empty()) result["comment"] = rule.comment;
  return result;
}

}  // namespace

Result<Profile> ProfileFromJson(const json& root, const std::string& name, ParseMode mode, Diagnostics* diagnostics) {
  return ReadProfile(root, name, mode, Dialect::kAny, diagnostics);
}

Result<Profile> ParseProfile(std::string_view text, const std::string& name, ParseMode mode, Diagnostics* diagnostics) {
  if (text.size() > kMaxProfileBytes) {
    return Fail(Code::kResourceExhausted, "seccomp profile {} is too large: {} bytes, at most {} are accepted", name,
                text.size(), kMaxProfileBytes);
  }
  ASSIGN_OR_RETURN(const json root, base::ParseJson(text, "seccomp profile " + name));
  return ProfileFromJson(root, name, mode, diagnostics);
}

json ToJson(const Profile& profile) {
  json result = {{"defaultAction", ActionName(profile.default_action)}};
  if (profile.default_errno_ret) result["defaultErrnoRet"] = *profile.default_errno_ret;
  if (!profile.default_errno_name.empty()) result["defaultErrno"] = profile.default_errno_name;
  if (!profile.architectures.empty()) result["architectures"] = ArchsToJson(profile.architectures);
  for (const ArchMapEntry& entry : profile.arch_map) {
    result["archMap"].push_back({{"architecture", syscalls::InfoOf(entry.architecture).scmp_name},
                                 {"subArchitectures", ArchsToJson(entry.sub_architectures)}});
  }
  if (!profile.flags.empty()) result["flags"] = FlagsToJson(profile.flags);
  if (!profile.listener_path.empty()) result["listenerPath"] = profile.listener_path;
  if (!profile.listener_metadata.empty()) result["listenerMetadata"] = profile.listener_metadata;
  for (const Rule& rule : profile.syscalls) result["syscalls"].push_back(RuleToJson(rule));
  for (const auto& [key, text] : profile.extensions) {
    if (auto value = base::ParseJson(text, key)) result[key] = std::move(*value);
  }
  return result;
}

Result<Profile> ParseLocalhostProfile(std::string_view text, const std::string& name, Diagnostics* warnings,
                                      ParseMode mode) {
  ASSIGN_OR_RETURN(Profile profile, ParseProfile(text, name, mode, warnings));
  TRY(CheckUsable(profile, name));
  if (warnings != nullptr) {
    Diagnostics portability = LintPortability(profile, name);
    warnings->insert(warnings->end(), std::make_move_iterator(portability.begin()),
                     std::make_move_iterator(portability.end()));
  }
  return profile;
}

}  // namespace portcullis::seccomp
