#include "engine/algebra/operations.h"

#include <cerrno>
#include <set>

#include "base/try.h"
#include "engine/bpf/program.h"

namespace portcullis::algebra {
namespace {

using seccomp::Action;

constexpr uint32_t kErrnoEnosys = filter::kReturnErrno | ENOSYS;
constexpr uint32_t kErrnoEperm = filter::kReturnErrno | EPERM;

// A profile that lists no architectures is meant for those that the other lists.
ResolvedProfile WithArchitecturesOf(const ResolvedProfile& profile, const ResolvedProfile& other) {
  ResolvedProfile result = profile;
  if (result.architectures.empty()) result.architectures = other.architectures;
  return result;
}

uint32_t First(uint32_t first, uint32_t /*second*/) { return first; }

uint32_t FirstUnlessPermitted(uint32_t first, uint32_t second) {
  return PermissivenessOf(first) > PermissivenessOf(second) ? first : kErrnoEperm;
}

bool IsDenial(uint32_t answer) { return PermissivenessOf(answer) <= PermissivenessOf(filter::kReturnErrno); }

// `as_rule` is what the profile's rules alone say, where those that equal the default action count too.
uint32_t LogUnlessOnPurpose(uint32_t answer, uint32_t as_rule) {
  if (!IsDenial(answer)) return answer;
  return as_rule == kErrnoEnosys ? as_rule : filter::ToReturnValue(Action::kLog, 0);
}

}  // namespace

Result<ResolvedProfile> Union(const ResolvedProfile& first, const ResolvedProfile& second, filter::Arch native) {
  return Combine(WithArchitecturesOf(first, second), WithArchitecturesOf(second, first), MorePermissive,
                 {.architectures = Keep::kOfEither, .flags = Keep::kOfEither, .native = native});
}

Result<ResolvedProfile> Intersect(const ResolvedProfile& first, const ResolvedProfile& second, filter::Arch native) {
  return Combine(WithArchitecturesOf(first, second), WithArchitecturesOf(second, first), LessPermissive,
                 {.architectures = Keep::kOfBoth, .flags = Keep::kOfBoth, .native = native});
}

Stacked IntersectOrStack(const ResolvedProfile& first, const ResolvedProfile& second, filter::Arch native) {
  auto single = Intersect(first, second, native);
  if (single) return {.profiles = {*std::move(single)}, .why = ""};
  return {.profiles = {WithArchitecturesOf(second, first), WithArchitecturesOf(first, second)},
          .why = single.error().message};
}

Result<ResolvedProfile> Subtract(const ResolvedProfile& first, const ResolvedProfile& second, filter::Arch native) {
  return Combine(WithArchitecturesOf(first, second), WithArchitecturesOf(second, first), FirstUnlessPermitted,
                 {.architectures = Keep::kOfEither, .flags = Keep::kOfBoth, .native = native});
}

Result<ResolvedProfile> Minimise(const ResolvedProfile& profile, filter::Arch native) {
  return Combine(profile, profile, First, {.architectures = Keep::kOfBoth, .flags = Keep::kOfBoth, .native = native});
}

Result<SubsetVerdict> IsSubset(const ResolvedProfile& first, const ResolvedProfile& second,
                               const filter::Options& options) {
  const filter::Behaviour one = filter::Describe(first, options);
  const filter::Behaviour other = filter::Describe(second, options);
  SubsetVerdict verdict;
  ASSIGN_OR_RETURN(verdict.beyond, filter::Excesses(one, other));
  verdict.subset = verdict.beyond.empty();
  return verdict;
}

Result<LogTwinResult> LogTwin(const ResolvedProfile& profile, filter::Arch native) {
  // Under another default action the rules that equal the profile's own are rules like all others.
  ResolvedProfile rules = profile;
  rules.default_action = Action::kLog;
  rules.default_errno_ret.reset();
  LogTwinResult result;
  ASSIGN_OR_RETURN(result.profile, Combine(profile, rules, LogUnlessOnPurpose,
                                           {.architectures = Keep::kOfBoth, .flags = Keep::kOfBoth, .native = native}));
  std::set<std::string> kept;
  for (const seccomp::ResolvedRule& rule : result.profile.syscalls) {
    if (rule.action == Action::kAllow || rule.action == Action::kLog) continue;
    const std::string answer = bpf::ReturnText(filter::ToReturnValue(rule.action, rule.errno_ret.value_or(0)));
    for (const std::string& name : rule.names) {
      kept.insert(fmt::format("{}: {}{}", name, answer, rule.args.empty() ? "" : ", for some arguments"));
    }
  }
  result.kept.assign(kept.begin(), kept.end());
  return result;
}

}  // namespace portcullis::algebra
