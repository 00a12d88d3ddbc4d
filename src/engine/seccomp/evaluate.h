// What a resolved profile answers to one system call, and which rule decided. The reference semantics; a compiled
// filter is right when it agrees with this.
//
// For one architecture and number, rules in order (those equal to the default action, or whose names do not resolve on
// the architecture, do not exist):
//   1. a rule without arguments: the first such rule decides;
//   2. else the first rule that matches: all its tests are true; when a rule tests one argument twice, ANY test is
//   enough
//      (libseccomp splits such rules, and CRI-O's profile relies on it);
//   3. else the default action.
// Arguments of 32-bit ABIs (x32 too) are judged by their low 32 bits. A call of an architecture that is neither listed
// nor native is killed (libseccomp's bad-arch action: the thread), whatever the default action.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/seccomp/resolved.h"

namespace portcullis::seccomp {

using CallArgs = std::array<uint64_t, 6>;

struct Decision {
  Action action = Action::kKillThread;  // kKill is reported as kKillThread
  uint32_t data = 0;                    // errno of ERRNO (0 to 4095), message of TRACE, else 0
  std::optional<size_t>
      rule;  // index into ResolvedProfile::syscalls; nullopt: the default action or a foreign architecture
  bool foreign_arch = false;
  bool operator==(const Decision&) const = default;
};

// `number` as user space passes it; on kX86_64 a number with bit 30 is an x32 call (except 0xffffffff).
// `native` is the architecture of the machine that the profile is enforced on.
Decision Evaluate(const ResolvedProfile& profile, Arch arch, uint32_t number, const CallArgs& args,
                  Arch native = syscalls::NativeArch());

// A call of which not every argument is known.
using KnownArgs = std::array<std::optional<uint64_t>, 6>;

// Every decision that values of the unknown arguments can lead to; one when they do not matter. There may be one more
// than can happen (tests of one unknown argument are not held against each other), never one less. Not empty.
std::vector<Decision> EvaluatePartly(const ResolvedProfile& profile, Arch arch, uint32_t number, const KnownArgs& args,
                                     Arch native = syscalls::NativeArch());

// One test on one argument value, at full width.
bool Matches(const Arg& test, uint64_t argument);

}  // namespace portcullis::seccomp
