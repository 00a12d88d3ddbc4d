// What a resolved profile answers to every possible call, in the form that can be compiled and compared: for each value
// of seccomp_data.arch the numbers 0 to 2^32-1, cut into ranges of equal behaviour.
//
//   Behaviour behaviour = Describe(profile, {.native = Arch::kX86_64});
//   behaviour.groups[0]            audit_arch 0xc000003e (x86_64, and x32 in the numbers with bit 30)
//     ranges {0..40 -> leaf 0} {41..41 -> leaf 2} {42..55 -> leaf 0} ...
//   behaviour.leaves[0]            no rules, otherwise SECCOMP_RET_ALLOW
//   behaviour.leaves[2]            socket: rules on argument 0, otherwise SECCOMP_RET_ERRNO|1
//
// The semantics are those of seccomp/evaluate.h, plus `NewerSyscalls`.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/seccomp/resolved.h"
#include "engine/syscalls/arch.h"

namespace portcullis::filter {

using syscalls::Arch;

// What a call answers that is newer than everything the profile names (its number is above the largest number of that
// architecture that any rule names).
enum class NewerSyscalls : uint8_t {
  kAsWritten,  // the default action
  kEnosys,     // ENOSYS, unless the default action is ALLOW, LOG or TRACE: what runc does, so that a C library can fall
               // back to an older call. An architecture on which no name resolves keeps the default action.
};

struct Options {
  Arch native = syscalls::NativeArch();  // of the machine that enforces the profile
  NewerSyscalls newer = NewerSyscalls::kEnosys;
};

// One rule on arguments. `any`: one true test is enough (a rule that tests one argument twice; see seccomp/evaluate.h).
struct ArgRule {
  std::vector<seccomp::Arg> tests;
  bool any = false;
  uint32_t answer = 0;
  bool operator==(const ArgRule&) const = default;
};

// The answer to one number: that of the first rule that matches, else `otherwise`. Answers are the kernel's
// SECCOMP_RET_* values with their data.
struct Leaf {
  std::vector<ArgRule> rules;
  uint32_t otherwise = 0;
  bool narrow = false;  // the ABI has 32-bit arguments: only their low halves count. False without rules.
  bool constant() const { return rules.empty(); }
  bool operator==(const Leaf&) const = default;
};

// Numbers first to last, both included.
struct Range {
  uint32_t first = 0;
  uint32_t last = 0;
  uint32_t leaf = 0;  // index into Behaviour::leaves
  bool operator==(const Range&) const = default;
};

// All numbers of one value of seccomp_data.arch: sorted, without gaps, neighbours differ.
struct Group {
  uint32_t audit_arch = 0;
  std::vector<Range> ranges;
};

struct Behaviour {
  std::vector<Leaf> leaves;   // no two are equal
  std::vector<Group> groups;  // the native one first
  uint32_t foreign = 0;       // the answer to every other architecture: kill the thread
};

Behaviour Describe(const seccomp::ResolvedProfile& profile, const Options& options = {});

// The leaf of a call; nullptr: a foreign architecture.
const Leaf* FindLeaf(const Behaviour& behaviour, uint32_t audit_arch, uint32_t number);

// The answer to one call.
uint32_t Answer(const Behaviour& behaviour, uint32_t audit_arch, uint32_t number, std::span<const uint64_t, 6> args);

// An action as the kernel's SECCOMP_RET_* value with its data (an errno, or a tracer's message).
uint32_t ToReturnValue(seccomp::Action action, uint32_t data);

inline constexpr uint32_t kReturnKillThread = 0x00000000;
inline constexpr uint32_t kReturnErrno = 0x00050000;
inline constexpr uint32_t kReturnAllow = 0x7fff0000;

}  // namespace portcullis::filter
