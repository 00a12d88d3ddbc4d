// What a profile is made on: a default, a complete profile's file, or a delta's file with the base that it names.
//
//   ASSIGN_OR_RETURN(const ProfileBase base, ReadProfileBase("redis.delta.yaml", {}));
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/profile/operand.h"
#include "engine/algebra/delta.h"

namespace portcullis::cli {

struct ProfileBase {
  std::string name;  // "containerd@2.2.4", or the file
  Operand operand;   // of a delta: what it names as its base
  std::optional<algebra::Delta> delta;
  std::string delta_text;
  seccomp::ResolveContext context;
  seccomp::ResolvedProfile resolved;  // of a delta: with it
};

Result<ProfileBase> ReadProfileBase(const std::string& word, const ResolveWords& words);

}  // namespace portcullis::cli
