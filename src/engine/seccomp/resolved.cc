#include "engine/seccomp/resolved.h"

#include <nlohmann/json.hpp>

#include "base/try.h"
#include "engine/seccomp/json_parts.h"

namespace portcullis::seccomp {

using nlohmann::json;

json ToJson(const ResolvedProfile& profile) {
  json result = {{"defaultAction", ActionName(profile.default_action)}};
  if (profile.default_errno_ret) result["defaultErrnoRet"] = *profile.default_errno_ret;
  if (!profile.architectures.empty()) result["architectures"] = ArchsToJson(profile.architectures);
  if (!profile.flags.empty()) result["flags"] = FlagsToJson(profile.flags);
  if (!profile.listener_path.empty()) result["listenerPath"] = profile.listener_path;
  if (!profile.listener_metadata.empty()) result["listenerMetadata"] = profile.listener_metadata;
  for (const ResolvedRule& rule : profile.syscalls) {
    json item = {{"names", rule.names}, {"action", ActionName(rule.action)}};
    if (rule.errno_ret) item["errnoRet"] = *rule.errno_ret;
    if (!rule.args.empty()) item["args"] = ArgsToJson(rule.args);
    result["syscalls"].push_back(std::move(item));
  }
  return result;
}

Result<ResolvedProfile> FromJson(const json& root, const std::string& name) {
  ASSIGN_OR_RETURN(Profile profile, ReadProfile(root, name, ParseMode::kStrict, Dialect::kOci, nullptr));
  ResolvedProfile resolved{.default_action = profile.default_action,
                           .default_errno_ret = profile.default_errno_ret,
                           .architectures = std::move(profile.architectures),
                           .flags = std::move(profile.flags),
                           .listener_path = std::move(profile.listener_path),
                           .listener_metadata = std::move(profile.listener_metadata),
                           .syscalls = {}};
  for (Rule& rule : profile.syscalls) {
    resolved.syscalls.push_back({.names = std::move(rule.names),
                                 .action = rule.action,
                                 .errno_ret = rule.errno_ret,
                                 .args = std::move(rule.args)});
  }
  return resolved;
}

}  // namespace portcullis::seccomp
