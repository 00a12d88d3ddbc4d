// Set operations on profiles, exact at the level of arguments. "Permits" is meant in the kernel's order of actions
// (combine.h), which two stacked filters follow too.
//
//   ASSIGN_OR_RETURN(ResolvedProfile merged, Union(default_profile, addition));
//   ASSIGN_OR_RETURN(SubsetVerdict verdict, IsSubset(mine, default_profile));
//   if (!verdict.subset) ... verdict.beyond: the calls in which `mine` permits more
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/algebra/combine.h"
#include "engine/filter/prove.h"

namespace portcullis::algebra {

// Every call gets the more permissive of the two answers, the first's where they are alike (EPERM or ENOSYS).
Result<ResolvedProfile> Union(const ResolvedProfile& first, const ResolvedProfile& second, filter::Arch native);

// Every call gets the stricter answer, the first's where they are alike: what the kernel does with both as two filters
// (`first` installed last).
Result<ResolvedProfile> Intersect(const ResolvedProfile& first, const ResolvedProfile& second, filter::Arch native);

// One profile, or, where no single one can say it, two to be installed one after the other in this order.
struct Stacked {
  std::vector<ResolvedProfile> profiles;
  std::string why;  // there are two
};
Stacked IntersectOrStack(const ResolvedProfile& first, const ResolvedProfile& second, filter::Arch native);

// What the first permits and the second does not: there the first's answer, elsewhere ERRNO(EPERM).
Result<ResolvedProfile> Subtract(const ResolvedProfile& first, const ResolvedProfile& second, filter::Arch native);

// Equal, without rules that never decide and with equal calls in one rule.
Result<ResolvedProfile> Minimise(const ResolvedProfile& profile, filter::Arch native);

struct SubsetVerdict {
  bool subset = false;
  std::vector<filter::Difference> beyond;  // what the first permits and the second does not; an example each
};
// Does `first` permit nothing that `second` does not? Over all architectures, also newer calls as `options` takes them.
Result<SubsetVerdict> IsSubset(const ResolvedProfile& first, const ResolvedProfile& second,
                               const filter::Options& options);

// The same profile with its denials only logged, for a trial run: the default action, and every denial (KILL*, TRAP,
// ERRNO), become LOG. Rules that answer ENOSYS stay (a C library falls back on them: clone3), as do TRACE and NOTIFY,
// which somebody listens to. Calls of unlisted architectures are still killed.
struct LogTwinResult {
  ResolvedProfile profile;
  std::vector<std::string> kept;  // "clone3: SCMP_ACT_ERRNO(38)", sorted
};
Result<LogTwinResult> LogTwin(const ResolvedProfile& profile, filter::Arch native);

}  // namespace portcullis::algebra
