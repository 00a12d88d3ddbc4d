// What libseccomp up to 2.6.1 makes of a profile's rules, found by differential fuzzing and kept as patterns.
#include <algorithm>
#include <cerrno>
#include <map>

#include "engine/seccomp/check.h"

namespace portcullis::seccomp {
namespace {

// Pairs of rules of one system call are compared; beyond this many rules nobody has checked what libseccomp does.
constexpr size_t kMaxComparedRules = 64;

// The values that pass one test, as far as overlap needs them: an interval, or bits.
struct Interval {
  uint64_t low = 0;
  uint64_t high = UINT64_MAX;
  bool empty = false;
};

// Hull of the values that pass (exact for all operators but NE and MASKED_EQ).
Interval HullOf(const Arg& test) {
  switch (test.op) {
    case CompareOp::kEqual:
      return {test.value, test.value};
    case CompareOp::kLess:
      return test.value == 0 ? Interval{.empty = true} : Interval{0, test.value - 1};
    case CompareOp::kLessEqual:
      return {0, test.value};
    case CompareOp::kGreaterEqual:
      return {test.value, UINT64_MAX};
    case CompareOp::kGreater:
      return test.value == UINT64_MAX ? Interval{.empty = true} : Interval{test.value + 1, UINT64_MAX};
    case CompareOp::kMaskedEqual:
      if ((test.value_two & ~test.value) != 0) return {.empty = true};
      return {test.value_two, test.value_two | ~test.value};
    case CompareOp::kNotEqual:
      return {};
  }
  return {};
}

bool HasBits(const Arg& test) { return test.op == CompareOp::kMaskedEqual || test.op == CompareOp::kEqual; }
uint64_t MaskOf(const Arg& test) { return test.op == CompareOp::kEqual ? UINT64_MAX : test.value; }
uint64_t BitsOf(const Arg& test) { return test.op == CompareOp::kEqual ? test.value : test.value_two; }

// True when surely no value passes both; false when some does or it is not known.
bool Disjoint(const Arg& left, const Arg& right) {
  const Interval a = HullOf(left);
  const Interval b = HullOf(right);
  if (a.empty || b.empty || a.high < b.low || b.high < a.low) return true;
  if (left.op == CompareOp::kNotEqual) return b.low == b.high && b.low == left.value;
  if (right.op == CompareOp::kNotEqual) return a.low == a.high && a.low == right.value;
  if (HasBits(left) && HasBits(right)) {
    const uint64_t common = MaskOf(left) & MaskOf(right);
    return (BitsOf(left) & common) != (BitsOf(right) & common);
  }
  return false;
}

bool IsOrdering(CompareOp op) {
  return op == CompareOp::kLess || op == CompareOp::kLessEqual || op == CompareOp::kGreater ||
         op == CompareOp::kGreaterEqual;
}
bool IsEquality(CompareOp op) { return op == CompareOp::kEqual || op == CompareOp::kMaskedEqual; }

// One rule as libseccomp gets it: conditions sorted by argument, a rule that repeats an argument split into one per
// condition.
struct Condition {
  size_t rule;  // index into ResolvedProfile::syscalls
  Action action;
  uint32_t data;
  std::vector<Arg> tests;
  bool SameAnswer(const Condition& other) const { return action == other.action && data == other.data; }
};

bool Overlap(const Condition& left, const Condition& right) {
  for (const Arg& a : left.tests) {
    for (const Arg& b : right.tests) {
      if (a.index == b.index && Disjoint(a, b)) return false;
    }
  }
  return true;
}

// Two rules that make libseccomp's tree code recurse for ever: the same tests up to one that is no equality, then an
// ordering in the earlier rule and an equality or NE in the later.
bool SpinsForever(const Condition& earlier, const Condition& later) {
  const size_t length = std::min(earlier.tests.size(), later.tests.size());
  for (size_t at = 0; at + 1 < length; ++at) {
    if (earlier.tests[at] != later.tests[at]) return false;
    const CompareOp next = later.tests[at + 1].op;
    if (!IsEquality(earlier.tests[at].op) && IsOrdering(earlier.tests[at + 1].op) && !IsOrdering(next)) return true;
  }
  return false;
}

class LibseccompLint {
 public:
  LibseccompLint(const ResolvedProfile& profile, const std::string& name) : profile_(profile), name_(name) {}

  Diagnostics Run() && {
    for (size_t index = 0; index < profile_.syscalls.size(); ++index) CheckRule(index);
    for (const auto& [syscall, rules] : Group()) CheckSyscall(syscall, rules);
    return std::move(diagnostics_);
  }

 private:
  void Warn(size_t rule, std::string_view field, std::string message, std::string hint = "") {
    if (diagnostics_.size() >= kMaxWarnings) return;
    diagnostics_.push_back({.severity = Severity::kWarning,
                            .file = name_,
                            .field = fmt::format("/syscalls/{}{}", rule, field),
                            .message = std::move(message),
                            .hint = std::move(hint)});
  }

  static uint32_t DataOf(Action action, std::optional<uint32_t> errno_ret) {
    return TakesErrno(action) ? errno_ret.value_or(EPERM) : 0;
  }

  bool IsDefault(const ResolvedRule& rule) const {
    return rule.action == profile_.default_action &&
           DataOf(rule.action, rule.errno_ret) == DataOf(profile_.default_action, profile_.default_errno_ret);
  }

  static bool RepeatsAnArgument(const ResolvedRule& rule) {
    for (size_t at = 0; at < rule.args.size(); ++at) {
      for (size_t other = 0; other < at; ++other) {
        if (rule.args[at].index == rule.args[other].index) return true;
      }
    }
    return false;
  }

  void CheckRule(size_t index) {
    const ResolvedRule& rule = profile_.syscalls[index];
    for (size_t at = 0; at < rule.args.size(); ++at) {
      const Arg& test = rule.args[at];
      if (test.op == CompareOp::kMaskedEqual && (test.value_two & ~test.value) != 0) {
        Warn(
            index, fmt::format("/args/{}", at),
            fmt::format("can never match: valueTwo {:#x} has bits outside the mask {:#x}", test.value_two, test.value));
      }
    }
    if (RepeatsAnArgument(rule)) {
      Warn(index, "/args",
           "tests one argument more than once: OCI runtimes make a rule of each test, so any of them is enough",
           "write one rule for each test, or tests that are disjoint");
    }
  }

  // Rules by system call, without those that equal the default action: runtimes skip them.
  std::map<std::string, std::vector<size_t>> Group() const {
    std::map<std::string, std::vector<size_t>> groups;
    for (size_t index = 0; index < profile_.syscalls.size(); ++index) {
      const ResolvedRule& rule = profile_.syscalls[index];
      if (IsDefault(rule)) continue;
      for (const std::string& name : rule.names) {
        std::vector<size_t>& group = groups[name];
        if (group.empty() || group.back() != index) group.push_back(index);
      }
    }
    return groups;
  }

  void CheckSyscall(const std::string& syscall, const std::vector<size_t>& rules) {
    const auto unconditional =
        std::ranges::find_if(rules, [this](size_t index) { return profile_.syscalls[index].args.empty(); });
    if (unconditional != rules.end()) return CheckUnconditional(syscall, rules, *unconditional);
    std::vector<Condition> conditions;
    for (const size_t index : rules) AddConditions(index, conditions);
    if (conditions.size() > kMaxComparedRules) {
      Warn(rules.front(), "",
           fmt::format("{} has {} rules: too many to tell what libseccomp makes of them", syscall, conditions.size()));
      return;
    }
    CheckPairs(syscall, conditions);
  }

  void CheckUnconditional(const std::string& syscall, const std::vector<size_t>& rules, size_t winner) {
    const ResolvedRule& winning = profile_.syscalls[winner];
    for (const size_t index : rules) {
      const ResolvedRule& rule = profile_.syscalls[index];
      const bool same = rule.action == winning.action &&
                        DataOf(rule.action, rule.errno_ret) == DataOf(winning.action, winning.errno_ret);
      if (index == winner || same) continue;
      Warn(index, "",
           fmt::format("has no effect on {}: rule /syscalls/{} decides about it without conditions{}", syscall, winner,
                       rule.args.empty() ? ", and the first such rule wins" : ""));
    }
  }

  void AddConditions(size_t index, std::vector<Condition>& conditions) const {
    const ResolvedRule& rule = profile_.syscalls[index];
    const Condition base{
        .rule = index, .action = rule.action, .data = DataOf(rule.action, rule.errno_ret), .tests = {}};
    if (RepeatsAnArgument(rule)) {
      for (const Arg& test : rule.args) {
        conditions.push_back(base);
        conditions.back().tests = {test};
      }
      return;
    }
    conditions.push_back(base);
    conditions.back().tests = rule.args;
    std::ranges::sort(conditions.back().tests, {}, &Arg::index);
  }

  void CheckPairs(const std::string& syscall, const std::vector<Condition>& conditions) {
    const Condition* overlapping = nullptr;
    for (size_t later = 0; later < conditions.size(); ++later) {
      for (size_t earlier = 0; earlier < later; ++earlier) {
        const Condition& a = conditions[earlier];
        const Condition& b = conditions[later];
        if (SpinsForever(a, b)) {
          Warn(b.rule, "/args",
               fmt::format(
                   "libseccomp never finishes with this rule of {} after /syscalls/{}: the container cannot start",
                   syscall, a.rule),
               "put the rules in the other order, or test the arguments differently");
          return;
        }
        if (a.SameAnswer(b)) continue;
        if (a.tests == b.tests) {
          Warn(b.rule, "/args",
               fmt::format("tests of {} as in /syscalls/{}, but another action: libseccomp refuses the profile",
                           syscall, a.rule));
          return;
        }
        if (overlapping == nullptr && Overlap(a, b)) overlapping = &b;
      }
    }
    const bool single_small = std::ranges::all_of(conditions, [](const Condition& condition) {
      return condition.tests.size() <= 1 && std::ranges::all_of(condition.tests, [](const Arg& test) {
               return test.value <= UINT32_MAX && test.value_two <= UINT32_MAX;
             });
    });
    const bool equalities = std::ranges::all_of(conditions, [](const Condition& condition) {
      return std::ranges::all_of(condition.tests, [](const Arg& test) { return IsEquality(test.op); });
    });
    if (conditions.size() > 1 && !single_small && !equalities) {
      Warn(conditions.front().rule, "/args",
           fmt::format("the rules of {} are outside what libseccomp compiles reliably: its filter can allow more than "
                       "is written",
                       syscall),
           "use one test per rule, with values below 2^32, or only SCMP_CMP_EQ and SCMP_CMP_MASKED_EQ");
    } else if (overlapping != nullptr) {
      Warn(overlapping->rule, "/args",
           fmt::format("rules of {} with different actions overlap: libseccomp need not take the first", syscall),
           "make the tests exclude each other");
    }
  }

  const ResolvedProfile& profile_;
  const std::string& name_;
  Diagnostics diagnostics_;
};

}  // namespace

Diagnostics LintForLibseccomp(const ResolvedProfile& profile, const std::string& name) {
  return LibseccompLint(profile, name).Run();
}

}  // namespace portcullis::seccomp
