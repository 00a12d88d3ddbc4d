#include "engine/seccomp/evaluate.h"

#include <algorithm>
#include <cerrno>

#include "engine/syscalls/syscalls.h"

namespace portcullis::seccomp {
namespace {

// What an action means to the kernel: two spellings of KILL are one, and ERRNO and TRACE carry EPERM unless told
// otherwise.
Decision Meaning(Action action, std::optional<uint32_t> errno_ret) {
  return {.action = action == Action::kKill ? Action::kKillThread : action,
          .data = TakesErrno(action) ? errno_ret.value_or(EPERM) : 0,
          .rule = std::nullopt,
          .foreign_arch = false};
}

bool TestsOneArgumentTwice(const std::vector<Arg>& args) {
  uint64_t seen = 0;
  for (const Arg& arg : args) {
    const uint64_t bit = uint64_t{1} << std::min<uint32_t>(arg.index, 63);
    if ((seen & bit) != 0) return true;
    seen |= bit;
  }
  return false;
}

bool RuleMatches(const ResolvedRule& rule, const CallArgs& args) {
  const auto holds = [&args](const Arg& test) { return test.index < args.size() && Matches(test, args[test.index]); };
  if (TestsOneArgumentTwice(rule.args)) return std::ranges::any_of(rule.args, holds);
  return std::ranges::all_of(rule.args, holds);
}

// nullopt: it depends on arguments that are not known.
std::optional<bool> RuleMatchesPartly(const ResolvedRule& rule, const KnownArgs& args) {
  const bool any = TestsOneArgumentTwice(rule.args);
  bool unknown = false;
  for (const Arg& test : rule.args) {
    if (test.index < args.size() && !args[test.index]) {
      unknown = true;
    } else if ((test.index < args.size() && Matches(test, *args[test.index])) == any) {
      return any;
    }
  }
  return unknown ? std::nullopt : std::optional(!any);
}

bool IsForeign(const ResolvedProfile& profile, Arch arch, Arch native) {
  return arch != native && std::ranges::find(profile.architectures, arch) == profile.architectures.end();
}

constexpr Decision kForeign{.action = Action::kKillThread, .data = 0, .rule = std::nullopt, .foreign_arch = true};

Arch ArchOfNumber(Arch arch, uint32_t number) {
  const bool is_x32 = arch == Arch::kX86_64 && (number & syscalls::kX32Bit) != 0 && number != UINT32_MAX;
  return is_x32 ? Arch::kX32 : arch;
}

bool Names(const ResolvedRule& rule, std::span<const syscalls::Entry> names) {
  return std::ranges::any_of(rule.names, [names](const std::string& name) {
    return std::ranges::find(names, std::string_view(name), &syscalls::Entry::name) != names.end();
  });
}

}  // namespace

bool Matches(const Arg& test, uint64_t argument) {
  switch (test.op) {
    case CompareOp::kNotEqual:
      return argument != test.value;
    case CompareOp::kLess:
      return argument < test.value;
    case CompareOp::kLessEqual:
      return argument <= test.value;
    case CompareOp::kEqual:
      return argument == test.value;
    case CompareOp::kGreaterEqual:
      return argument >= test.value;
    case CompareOp::kGreater:
      return argument > test.value;
    case CompareOp::kMaskedEqual:
      return (argument & test.value) == test.value_two;
  }
  return false;
}

Decision Evaluate(const ResolvedProfile& profile, Arch arch, uint32_t number, const CallArgs& args, Arch native) {
  arch = ArchOfNumber(arch, number);
  if (IsForeign(profile, arch, native)) return kForeign;
  CallArgs seen = args;
  if (syscalls::InfoOf(arch).bits == 32) {
    for (uint64_t& value : seen) value &= UINT32_MAX;
  }
  const Decision fallback = Meaning(profile.default_action, profile.default_errno_ret);
  const auto names = syscalls::NamesOf(arch, number);
  std::optional<Decision> matched;
  for (size_t index = 0; index < profile.syscalls.size() && !names.empty(); ++index) {
    const ResolvedRule& rule = profile.syscalls[index];
    Decision decision = Meaning(rule.action, rule.errno_ret);
    if (decision == fallback || !Names(rule, names)) continue;
    decision.rule = index;
    if (rule.args.empty()) return decision;
    if (!matched && RuleMatches(rule, seen)) matched = decision;
  }
  return matched.value_or(fallback);
}

std::vector<Decision> EvaluatePartly(const ResolvedProfile& profile, Arch arch, uint32_t number, const KnownArgs& args,
                                     Arch native) {
  arch = ArchOfNumber(arch, number);
  if (IsForeign(profile, arch, native)) return {kForeign};
  KnownArgs seen = args;
  if (syscalls::InfoOf(arch).bits == 32) {
    for (std::optional<uint64_t>& value : seen) {
      if (value) *value &= UINT32_MAX;
    }
  }
  const Decision fallback = Meaning(profile.default_action, profile.default_errno_ret);
  const auto names = syscalls::NamesOf(arch, number);
  std::vector<Decision> possible;
  bool decided = false;
  for (size_t index = 0; index < profile.syscalls.size() && !names.empty(); ++index) {
    const ResolvedRule& rule = profile.syscalls[index];
    Decision decision = Meaning(rule.action, rule.errno_ret);
    if (decision == fallback || !Names(rule, names)) continue;
    decision.rule = index;
    if (rule.args.empty()) return {decision};
    if (decided) continue;
    const auto matches = RuleMatchesPartly(rule, seen);
    if (matches == false) continue;
    possible.push_back(decision);
    decided = matches == true;
  }
  if (!decided) possible.push_back(fallback);
  return possible;
}

}  // namespace portcullis::seccomp
