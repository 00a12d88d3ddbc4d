// From a resolved profile to the filter that the kernel runs.
//
//   ASSIGN_OR_RETURN(Filter filter, Compile(profile));
//   filter.program        about 270 instructions for the default profiles on three architectures
//   filter.flags          for seccomp(2), SECCOMP_SET_MODE_FILTER
//
// For every architecture of the profile a search tree over the numbers, with tests of arguments at its leaves; equal
// parts are shared. Nothing but the architecture and the number is read before a number is found whose rules test
// arguments, so that the kernel's allow bitmap (5.11) answers all others without running the filter.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "engine/bpf/program.h"
#include "engine/filter/behaviour.h"

namespace portcullis::filter {

struct Filter {
  bpf::Program program;
  uint32_t flags = 0;
  bool operator==(const Filter&) const = default;
};

inline constexpr uint32_t kFlagSpecAllow = 4;
inline constexpr uint32_t kFlagNewListener = 8;

// Errors: kResourceExhausted when the filter would be longer than the kernel takes.
Result<Filter> Compile(const seccomp::ResolvedProfile& profile, const Options& options = {});
Result<bpf::Program> CompileBehaviour(const Behaviour& behaviour);

// SECCOMP_FILTER_FLAG_* of a profile: those it names, SPEC_ALLOW when it names none (as the OCI runtimes do), and
// NEW_LISTENER when a rule asks a listener.
uint32_t FlagsOf(const seccomp::ResolvedProfile& profile);

}  // namespace portcullis::filter
