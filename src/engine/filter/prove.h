// Is a filter exactly what a profile says? Answered over the whole input space: every architecture, every number from 0
// to 2^32-1, all values of all arguments. Not a test of samples.
//
//   ASSIGN_OR_RETURN(Verdict verdict, Prove(filter.program, Describe(profile)));
//   if (!verdict.equal) ... verdict.counterexample: a call that the two answer differently
//
// How: the program's comparisons and the profile's ranges cut architectures and numbers into classes that neither can
// tell apart inside. For one call of each class the program runs until it reads an argument; from there on it becomes a
// decision diagram (decision_diagram.h), which equals the profile's diagram exactly when the answers are always equal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/bpf/program.h"
#include "engine/filter/behaviour.h"

namespace portcullis::filter {

// A call, and what each side answers to it (SECCOMP_RET_* values).
struct Counterexample {
  bpf::Data call;
  uint32_t from_program = 0;
  uint32_t from_profile = 0;
};

struct Verdict {
  bool equal = false;
  std::optional<Counterexample> counterexample;  // when not equal
  size_t classes = 0;                            // of architecture and number that were compared
};

// Errors: kInvalidArgument for a program that bpf::Check refuses or that reads what profiles do not speak of (the
// instruction pointer) or masks the architecture; kResourceExhausted when rules or program are too tangled to decide.
// No error ever means "equal".
Result<Verdict> Prove(std::span<const bpf::Insn> program, const Behaviour& behaviour);

// The same for two profiles: do they answer every call alike? from_program is the first's answer.
Result<Verdict> Compare(const Behaviour& first, const Behaviour& second);

// Neighbouring numbers of one architecture that two profiles answer differently, in the same way.
struct Difference {
  uint32_t audit_arch = 0;
  uint32_t first = 0;
  uint32_t last = 0;
  bool for_some_arguments = false;  // others are answered alike, or differently in another way
  std::array<uint64_t, 6> args{};   // an example
  uint32_t from_first = 0;          // the answers to it
  uint32_t from_second = 0;
};

// All of them, over the architectures that either profile knows. Empty: the profiles are equal there.
Result<std::vector<Difference>> Differences(const Behaviour& first, const Behaviour& second);

// Only those calls for which the first answers more permissively, in the kernel's order of actions (linux/seccomp.h).
Result<std::vector<Difference>> Excesses(const Behaviour& first, const Behaviour& second);

}  // namespace portcullis::filter
