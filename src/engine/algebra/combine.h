// Two profiles become one, call by call and argument by argument: the answer of the result is a given function of the
// two answers. Every operation of operations.h and delta.h is this with another function.
//
//   ASSIGN_OR_RETURN(ResolvedProfile merged, Combine(a, b, MorePermissive, {.architectures = kOfEither}));
//
// Exact: the result is compared with both profiles over every possible call before it is returned, and an answer that
// one profile cannot say is an error, never an approximation. Calls newer than a profile are taken as written (its
// default action); what the profiles name newest stays named, so that the ENOSYS of a runtime for newer calls
// (filter::NewerSyscalls) begins where it began.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "engine/filter/behaviour.h"
#include "engine/seccomp/resolved.h"

namespace portcullis::algebra {

using seccomp::ResolvedProfile;

// Both are SECCOMP_RET_* values with their data.
using Combiner = uint32_t (*)(uint32_t, uint32_t);

// How much a return value lets happen: the kernel's order of actions, in which the lowest of several filters wins
// (linux/seccomp.h). KILL_PROCESS < KILL_THREAD < TRAP < ERRNO < NOTIFY < TRACE < LOG < ALLOW; an errno or a message
// means nothing to it.
int64_t PermissivenessOf(uint32_t answer);

// The more, and the less permissive answer; the first where they are alike.
uint32_t MorePermissive(uint32_t first, uint32_t second);
uint32_t LessPermissive(uint32_t first, uint32_t second);

enum class Keep : uint8_t { kOfEither, kOfBoth };

struct CombineOptions {
  Keep architectures = Keep::kOfEither;  // of the result; the others are killed, as in any profile
  Keep flags = Keep::kOfEither;
  filter::Arch native = syscalls::NativeArch();
};

// Errors (kInvalidArgument): a call that would need different rules on two architectures of the result, two names of
// one call with different answers, two listeners; kResourceExhausted: more rules on one call than kMostArgumentRules.
// All name the call.
Result<ResolvedProfile> Combine(const ResolvedProfile& first, const ResolvedProfile& second, Combiner combiner,
                                const CombineOptions& options);

}  // namespace portcullis::algebra
