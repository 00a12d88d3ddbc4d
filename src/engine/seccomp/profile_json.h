// Profiles as JSON text: read strictly, written back without loss.
//
//   Result<Profile> profile = ParseProfile(text, "/var/lib/kubelet/seccomp/profiles/audit.json");
//   profile.error().message:
//     seccomp profile /var/lib/...: /syscalls/3/action: unknown action "SCMP_ACT_DENY" (did you mean "SCMP_ACT_ERRNO"?)
//
// The place of an error is an RFC 6901 JSON pointer. Strict mode refuses whatever a runtime would silently ignore:
// unknown or mis-cased keys could change a rule from "allow if" to "allow" without a word. Lenient mode reads such a
// file as Go does (keys match in any case, unknown keys are skipped) and reports each as a warning.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "base/result.h"
#include "engine/seccomp/profile.h"

namespace portcullis::seccomp {

enum class ParseMode { kStrict, kLenient };

// Longest profile text accepted. The largest default profile of any runtime is below 32 KiB.
inline constexpr size_t kMaxProfileBytes = 1u << 20;

// `name` appears in errors and diagnostics (a path, a library name). Every problem found is appended to `diagnostics`
// when given (errors and warnings, field = JSON pointer); the Result's error names the first. Codes: kInvalidArgument;
// kResourceExhausted when too large.
Result<Profile> ParseProfile(std::string_view text, const std::string& name, ParseMode mode = ParseMode::kStrict,
                             Diagnostics* diagnostics = nullptr);
Result<Profile> ProfileFromJson(const nlohmann::json& json, const std::string& name,
                                ParseMode mode = ParseMode::kStrict, Diagnostics* diagnostics = nullptr);

// Empty and absent things are not written. ProfileFromJson(ToJson(p)) == p.
nlohmann::json ToJson(const Profile& profile);

// A `Localhost` file: ParseProfile, CheckUsable (check.h), and in `warnings` what would be different on containerd or
// CRI-O (LintPortability). What it returns can be resolved; then ask LintForLibseccomp (check.h).
Result<Profile> ParseLocalhostProfile(std::string_view text, const std::string& name, Diagnostics* warnings = nullptr,
                                      ParseMode mode = ParseMode::kStrict);

}  // namespace portcullis::seccomp
