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
  if (arch == Arch::kX86_64 && (number & syscalls::kX32Bit) != 0 && number != UINT32_MAX) arch = Arch::kX32;
  if (arch != native && std::ranges::find(profile.architectures, arch) == profile.architectures.end()) {
    return {.action = Action::kKillThread, .data = 0, .rule = std::nullopt, .foreign_arch = true};
  }
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

}  // namespace portcullis::seccomp
