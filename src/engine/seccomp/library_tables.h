// The shape of the generated default profiles (scripts/generate-profiles). Private to this room: use library.h.
// A `contents` mask has one bit per distinct content of the runtime, in the order of CompactRuntime::contents.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/seccomp/profile.h"

namespace portcullis::seccomp {

struct CompactName {
  std::string_view name;
  uint64_t contents;
};

struct CompactConditions {
  std::span<const std::string_view> arches;
  std::span<const std::string_view> caps;
  std::optional<KernelVersion> min_kernel;
};

struct CompactRule {
  uint64_t contents;
  Action action;
  std::optional<uint32_t> errno_ret;
  std::string_view errno_name;
  std::span<const Arg> args;
  CompactConditions includes;
  CompactConditions excludes;
  std::span<const CompactName> names;
};

struct CompactDefault {
  uint64_t contents;
  Action action;
  std::optional<uint32_t> errno_ret;
  std::string_view errno_name;
};

struct CompactArch {
  uint64_t contents;
  Arch architecture;
  std::span<const Arch> sub_architectures;
};

struct CompactContent {
  std::string_view label;  // its first release
  std::string_view date;   // of the commit
};

struct CompactRelease {
  std::string_view release;
  uint16_t content;  // index into CompactRuntime::contents
};

struct CompactRuntime {
  std::string_view name;
  std::span<const CompactContent> contents;
  std::span<const CompactRelease> releases;  // in version order
  size_t newest;                             // index into releases: the newest that is no pre-release
  std::span<const CompactDefault> defaults;
  std::span<const CompactArch> arch_map;
  std::span<const CompactRule> rules;
};

std::span<const CompactRuntime> CompactRuntimes();

}  // namespace portcullis::seccomp
