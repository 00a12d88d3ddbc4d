// Is a profile fit for use, and what about it will surprise? Asked before an OCI runtime sees it.
//
//   TRY(CheckUsable(profile, path));                             // refuse: what a runtime would refuse late, hang on
//   or misread Append(LintForLibseccomp(resolved, path), diagnostics);      // tell: what libseccomp does differently
//   from what is written
#pragma once

#include <string>

#include "base/diagnostic.h"
#include "base/result.h"
#include "engine/seccomp/profile.h"
#include "engine/seccomp/resolved.h"

namespace portcullis::seccomp {

// Limits of one profile.
inline constexpr size_t kMaxRules = 4096;
inline constexpr size_t kMaxNames = 65536;  // over all rules
inline constexpr size_t kMaxNameLength = 128;
inline constexpr size_t kMaxArgsPerRule = 64;
inline constexpr uint32_t kMaxErrno = 4095;  // the kernel's MAX_ERRNO; larger ones are cut by runtimes and kernel

// Most warnings that one lint gives: a hostile file can hold a fault in every other byte.
inline constexpr size_t kMaxWarnings = 64;

// Errors (kInvalidArgument, JSON pointer in the text): argument index over 5, errnoRet with an action that takes none,
// errno over 4095, a rule without names, a limit exceeded, architectures together with archMap, a NOTIFY rule without
// listenerPath, NOTIFY as the default action or on write(2), listenerMetadata without listenerPath, an unknown errno
// name. Unknown actions, operators, architectures and flags and a missing defaultAction never get this far:
// ParseProfile refuses them.
Result<void> CheckUsable(const Profile& profile, const std::string& name);
Result<void> CheckUsable(const ResolvedProfile& profile, const std::string& name);

// Warnings about a file that containerd would read differently (it knows the OCI dialect only), and about conditions
// that can never be true (unknown capability or architecture names) and names that no architecture has.
Diagnostics LintPortability(const Profile& profile, const std::string& name);

// Warnings, per system call, about what libseccomp up to 2.6.1 makes of the rules: the pattern that makes it spin for
// ever, rule sets outside the subset it compiles right (it can end up more permissive than written), rules it refuses
// (same test, two actions), and tests that cannot match. Pure: looks at the rules, runs nothing.
Diagnostics LintForLibseccomp(const ResolvedProfile& profile, const std::string& name);

}  // namespace portcullis::seccomp
