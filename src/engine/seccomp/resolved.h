// ResolvedProfile: OCI's `linux.seccomp`, exactly what an OCI runtime gets and `crictl inspect` shows in
// .info.runtimeSpec.linux.seccomp. The centre of the engine: everything is resolved into it, evaluated and compiled
// from it.
//
//   nlohmann::json json = ToJson(resolved);
//   {"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],"defaultAction":"SCMP_ACT_ERRNO",
//    "syscalls":[{"action":"SCMP_ACT_ALLOW","names":["accept"]},
//                {"action":"SCMP_ACT_ERRNO","errnoRet":38,"names":["clone3"]}, ...]}
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/seccomp/profile.h"

namespace portcullis::seccomp {

struct ResolvedRule {
  std::vector<std::string> names;
  Action action = Action::kErrno;
  std::optional<uint32_t>
      errno_ret;  // absent with ERRNO or TRACE: the runtimes use EPERM, whatever the default's errno is
  std::vector<Arg> args;
  bool operator==(const ResolvedRule&) const = default;
};

struct ResolvedProfile {
  Action default_action = Action::kErrno;
  std::optional<uint32_t> default_errno_ret;
  std::vector<Arch> architectures;  // empty: the native architecture alone
  std::vector<FilterFlag> flags;    // empty: the OCI runtime's own choice (SPEC_ALLOW)
  std::string listener_path;
  std::string listener_metadata;
  std::vector<ResolvedRule> syscalls;
  bool operator==(const ResolvedProfile&) const = default;
};

// Absent things are absent: no empty lists, no null, no valueTwo of 0.
nlohmann::json ToJson(const ResolvedProfile& profile);

// Strict: a key of Docker's dialect, or an unknown one, is an error naming the JSON pointer.
Result<ResolvedProfile> FromJson(const nlohmann::json& json, const std::string& name);

}  // namespace portcullis::seccomp
