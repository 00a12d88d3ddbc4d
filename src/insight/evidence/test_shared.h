// What several tests of this room ask of evidence.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/syscalls/syscalls.h"
#include "insight/evidence/evidence.h"

namespace portcullis::insight {

// nullptr: no such call. `first_argument`: the value of the first that evidence keeps.
inline const std::pair<const Call, CallFacts>* Find(const Evidence& evidence, std::string_view name,
                                                    syscalls::Arch arch = syscalls::Arch::kX86_64,
                                                    std::optional<uint64_t> first_argument = std::nullopt) {
  const auto number = syscalls::NumberOf(arch, name);
  for (const auto& entry : evidence.calls()) {
    const Call& call = entry.first;
    if (call.number != number || call.audit_arch != syscalls::InfoOf(arch).audit_arch) continue;
    if (first_argument && (call.arguments.empty() || call.arguments[0].value != *first_argument)) continue;
    return &entry;
  }
  return nullptr;
}

inline std::string LossesOf(const Evidence& evidence) {
  std::string out;
  for (const Loss& loss : evidence.completeness.losses) out += fmt::format("{} {}; ", loss.count, loss.why);
  return out;
}

}  // namespace portcullis::insight
