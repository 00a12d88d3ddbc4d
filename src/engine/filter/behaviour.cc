#include "engine/filter/behaviour.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "engine/seccomp/evaluate.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::filter {
namespace {

using seccomp::Action;
using syscalls::kX32Bit;

// Numbers of all names on one architecture, by the names' index in syscalls::AllNames(); built once per architecture,
// because a profile asks for hundreds of names on three architectures.
class NumberTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  static const NumberTable& Of(Arch arch) {
    static const auto tables = [] {
      std::array<NumberTable, syscalls::kArchCount> all;
      for (const auto& info : syscalls::AllArchs()) all.at(static_cast<size_t>(info.arch)).Fill(info.arch);
      return all;
    }();
    return tables.at(static_cast<size_t>(arch));
  }

  static std::optional<uint32_t> IndexOf(std::string_view name) {
    static const auto indices = [] {
      std::unordered_map<std::string_view, uint32_t> map;
      const auto names = syscalls::AllNames();
      for (uint32_t index = 0; index < names.size(); ++index) map.emplace(names[index], index);
      return map;
    }();
    const auto found = indices.find(name);
    if (found == indices.end()) return std::nullopt;
    return found->second;
  }

  uint32_t At(uint32_t name) const { return name < numbers_.size() ? numbers_[name] : kNone; }

 private:
  void Fill(Arch arch) {
    if (!syscalls::HasTable(arch)) return;
    numbers_.assign(syscalls::AllNames().size(), kNone);
    for (const syscalls::Entry& entry : syscalls::ByNumber(arch)) numbers_[*IndexOf(entry.name)] = entry.number;
  }

  std::vector<uint32_t> numbers_;
};

bool TestsOneArgumentTwice(const std::vector<seccomp::Arg>& args) {
  for (size_t i = 0; i < args.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (args[i].index == args[j].index) return true;
    }
  }
  return false;
}

// What all architectures of a profile share.
class Describer {
 public:
  Describer(const seccomp::ResolvedProfile& profile, const Options& options) : profile_(profile), options_(options) {
    fallback_ = Meaning(profile.default_action, profile.default_errno_ret);
    for (const auto& rule : profile.syscalls) {
      std::vector<uint32_t>& indices = names_.emplace_back();
      for (const std::string& name : rule.names) {
        if (const auto index = NumberTable::IndexOf(name)) indices.push_back(*index);
      }
    }
  }

  Behaviour Run() {
    behaviour_.foreign = kReturnKillThread;
    Add(options_.native);
    for (const Arch arch : profile_.architectures) Add(arch);
    return std::move(behaviour_);
  }

 private:
  static uint32_t Meaning(Action action, std::optional<uint32_t> errno_ret) {
    return ToReturnValue(action, seccomp::TakesErrno(action) ? errno_ret.value_or(EPERM) : 0);
  }

  bool Listed(Arch arch) const {
    return arch == options_.native || std::ranges::find(profile_.architectures, arch) != profile_.architectures.end();
  }

  uint32_t LeafIndex(Leaf leaf) {
    for (uint32_t index = 0; index < behaviour_.leaves.size(); ++index) {
      if (behaviour_.leaves[index] == leaf) return index;
    }
    behaviour_.leaves.push_back(std::move(leaf));
    return static_cast<uint32_t>(behaviour_.leaves.size() - 1);
  }

  uint32_t Constant(uint32_t answer) { return LeafIndex({.rules = {}, .otherwise = answer, .narrow = false}); }

  void Add(Arch arch) {
    // x86_64 and x32 share one value of seccomp_data.arch; bit 30 of the number tells them apart.
    const uint32_t audit_arch = syscalls::InfoOf(arch).audit_arch;
    for (const Group& group : behaviour_.groups) {
      if (group.audit_arch == audit_arch) return;
    }
    Group group{.audit_arch = audit_arch, .ranges = {}};
    if (arch == Arch::kX86_64 || arch == Arch::kX32) {
      AddX86(group);
    } else {
      AddNumbers(group, arch, 0, UINT32_MAX);
    }
    behaviour_.groups.push_back(std::move(group));
  }

  void AddX86(Group& group) {
    AddNumbers(group, Arch::kX86_64, 0, kX32Bit - 1);
    AddNumbers(group, Arch::kX32, kX32Bit, 2 * kX32Bit - 1);
    AddNumbers(group, Arch::kX86_64, 2 * kX32Bit, 3 * kX32Bit - 1);
    AddNumbers(group, Arch::kX32, 3 * kX32Bit, UINT32_MAX - 1);
    // What a tracer writes to skip a call; the kernel has no x32 call of this number.
    AddNumbers(group, Arch::kX86_64, UINT32_MAX, UINT32_MAX);
  }

  static void Append(Group& group, uint32_t first, uint32_t last, uint32_t leaf) {
    if (!group.ranges.empty() && group.ranges.back().leaf == leaf) {
      group.ranges.back().last = last;
    } else {
      group.ranges.push_back({first, last, leaf});
    }
  }

  // The behaviour of the numbers first to last, which belong to `arch`.
  void AddNumbers(Group& group, Arch arch, uint32_t first, uint32_t last) {
    if (!Listed(arch)) return Append(group, first, last, Constant(kReturnKillThread));
    const NumberTable& table = NumberTable::Of(arch);
    std::vector<uint64_t> named;  // number and rule, so that sorting brings the rules of a number together, in order
    std::optional<uint32_t> newest;
    for (uint32_t rule = 0; rule < names_.size(); ++rule) {
      const auto& written = profile_.syscalls[rule];
      const bool redundant = Meaning(written.action, written.errno_ret) == fallback_;
      for (const uint32_t name : names_[rule]) {
        const uint32_t number = table.At(name);
        if (number == NumberTable::kNone) continue;
        newest = std::max(newest.value_or(number), number);
        if (!redundant && number >= first && number <= last) named.push_back(uint64_t{number} << 32 | rule);
      }
    }
    std::ranges::sort(named);
    named.erase(std::unique(named.begin(), named.end()), named.end());
    const uint32_t fallback = Constant(fallback_);
    uint64_t next = first;
    for (size_t i = 0; i < named.size();) {
      const auto number = static_cast<uint32_t>(named[i] >> 32);
      size_t end = i;
      while (end < named.size() && named[end] >> 32 == number) ++end;
      if (number > next) Append(group, static_cast<uint32_t>(next), number - 1, fallback);
      Append(group, number, number, LeafOf(std::span(named).subspan(i, end - i), arch));
      next = uint64_t{number} + 1;
      i = end;
    }
    if (!AnswersEnosys() || !newest) {
      if (next <= last) Append(group, static_cast<uint32_t>(next), last, fallback);
      return;
    }
    if (next <= *newest && next <= last) {
      const uint32_t end = std::min(*newest, last);
      Append(group, static_cast<uint32_t>(next), end, fallback);
      next = uint64_t{end} + 1;
    }
    if (next <= last) Append(group, static_cast<uint32_t>(next), last, Constant(kReturnErrno | ENOSYS));
  }

  bool AnswersEnosys() const {
    return options_.newer == NewerSyscalls::kEnosys && profile_.default_action != Action::kAllow &&
           profile_.default_action != Action::kLog && profile_.default_action != Action::kTrace;
  }

  uint32_t LeafOf(std::span<const uint64_t> named, Arch arch) {
    Leaf leaf{.rules = {}, .otherwise = fallback_, .narrow = false};
    for (const uint64_t entry : named) {
      const seccomp::ResolvedRule& rule = profile_.syscalls[static_cast<uint32_t>(entry)];
      if (rule.args.empty()) return Constant(Meaning(rule.action, rule.errno_ret));
    }
    for (const uint64_t entry : named) {
      const seccomp::ResolvedRule& rule = profile_.syscalls[static_cast<uint32_t>(entry)];
      leaf.rules.push_back({.tests = rule.args,
                            .any = TestsOneArgumentTwice(rule.args),
                            .answer = Meaning(rule.action, rule.errno_ret)});
    }
    leaf.narrow = syscalls::InfoOf(arch).bits == 32;
    return LeafIndex(std::move(leaf));
  }

  const seccomp::ResolvedProfile& profile_;
  const Options& options_;
  uint32_t fallback_ = 0;
  std::vector<std::vector<uint32_t>> names_;  // per rule: its names as indices of syscalls::AllNames()
  Behaviour behaviour_;
};

}  // namespace

uint32_t ToReturnValue(Action action, uint32_t data) {
  switch (action) {
    case Action::kKill:
    case Action::kKillThread:
      return kReturnKillThread;
    case Action::kKillProcess:
      return 0x80000000;
    case Action::kTrap:
      return 0x00030000;
    case Action::kErrno:
      return kReturnErrno | (data & 0xffff);
    case Action::kTrace:
      return 0x7ff00000 | (data & 0xffff);
    case Action::kAllow:
      return kReturnAllow;
    case Action::kLog:
      return 0x7ffc0000;
    case Action::kNotify:
      return 0x7fc00000;
  }
  return kReturnKillThread;
}

Behaviour Describe(const seccomp::ResolvedProfile& profile, const Options& options) {
  return Describer(profile, options).Run();
}

const Leaf* FindLeaf(const Behaviour& behaviour, uint32_t audit_arch, uint32_t number) {
  for (const Group& group : behaviour.groups) {
    if (group.audit_arch != audit_arch) continue;
    const auto range = std::ranges::lower_bound(group.ranges, number, {}, &Range::last);
    return &behaviour.leaves[range->leaf];
  }
  return nullptr;
}

uint32_t Answer(const Behaviour& behaviour, uint32_t audit_arch, uint32_t number, std::span<const uint64_t, 6> args) {
  const Leaf* leaf = FindLeaf(behaviour, audit_arch, number);
  if (leaf == nullptr) return behaviour.foreign;
  const auto holds = [&](const seccomp::Arg& test) {
    if (test.index >= args.size()) return false;
    return seccomp::Matches(test, leaf->narrow ? args[test.index] & UINT32_MAX : args[test.index]);
  };
  for (const ArgRule& rule : leaf->rules) {
    if (rule.any ? std::ranges::any_of(rule.tests, holds) : std::ranges::all_of(rule.tests, holds)) return rule.answer;
  }
  return leaf->otherwise;
}

}  // namespace portcullis::filter
