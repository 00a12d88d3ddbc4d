#include "engine/algebra/combine.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "base/strings.h"
#include "base/try.h"
#include "engine/algebra/argument_rules.h"
#include "engine/bpf/program.h"
#include "engine/filter/decision_diagram.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::algebra {
namespace {

using filter::Arch;
using filter::Behaviour;
using filter::DecisionDiagrams;
using filter::Leaf;
using seccomp::Action;
using seccomp::FilterFlag;
using seccomp::ResolvedRule;
using Node = DecisionDiagrams::Node;

constexpr filter::NewerSyscalls kNewer = filter::NewerSyscalls::kAsWritten;

struct ActionAndErrno {
  Action action = Action::kKillThread;
  std::optional<uint32_t> errno_ret;
};

// The reverse of filter::ToReturnValue.
ActionAndErrno FromReturnValue(uint32_t answer) {
  for (const Action action : {Action::kKillProcess, Action::kTrap, Action::kErrno, Action::kTrace, Action::kAllow,
                              Action::kLog, Action::kNotify}) {
    if (filter::ToReturnValue(action, 0) != (answer & 0xffff0000)) continue;
    const bool takes_errno = seccomp::TakesErrno(action);
    return {action, takes_errno ? std::optional(answer & 0xffff) : std::nullopt};
  }
  return {Action::kKillThread, std::nullopt};
}

uint32_t DefaultOf(const ResolvedProfile& profile) {
  return filter::ToReturnValue(profile.default_action, seccomp::TakesErrno(profile.default_action)
                                                           ? profile.default_errno_ret.value_or(EPERM)
                                                           : 0);
}

std::set<Arch> ArchsOf(const ResolvedProfile& profile, Arch native) {
  std::set<Arch> archs(profile.architectures.begin(), profile.architectures.end());
  archs.insert(native);
  return archs;
}

// One of the two profiles, as functions of the arguments.
class Side {
 public:
  Side(const ResolvedProfile& profile, Arch native, DecisionDiagrams& diagrams)
      : behaviour_(filter::Describe(profile, {.native = native, .newer = kNewer})), diagrams_(diagrams) {}

  Result<Node> Of(uint32_t audit_arch, uint32_t number) {
    const Leaf* leaf = filter::FindLeaf(behaviour_, audit_arch, number);
    if (leaf == nullptr) return diagrams_.Answer(behaviour_.foreign);
    const auto known = nodes_.find(leaf);
    if (known != nodes_.end()) return known->second;
    ASSIGN_OR_RETURN(const Node node, diagrams_.OfLeaf(*leaf));
    nodes_.emplace(leaf, node);
    return node;
  }

  const Behaviour& behaviour() const { return behaviour_; }

 private:
  const Behaviour behaviour_;
  DecisionDiagrams& diagrams_;
  std::map<const Leaf*, Node> nodes_;
};

std::string CallName(uint32_t audit_arch, uint32_t number) {
  const auto arch = syscalls::ArchFromAudit(audit_arch, number);
  if (!arch) return fmt::format("call {} of architecture {:#x}", number, audit_arch);
  const auto name = syscalls::NameOf(*arch, number);
  return fmt::format("{} on {}", name ? std::string(*name) : fmt::format("call {}", number),
                     syscalls::InfoOf(*arch).scmp_name);
}

class Combination {
 public:
  Combination(const ResolvedProfile& first, const ResolvedProfile& second, Combiner combiner,
              const CombineOptions& options)
      : first_profile_(first),
        second_profile_(second),
        combiner_(combiner),
        options_(options),
        first_(first, options.native, diagrams_),
        second_(second, options.native, diagrams_),
        default_(combiner(DefaultOf(first), DefaultOf(second))) {}

  Result<ResolvedProfile> Run() {
    const auto [action, errno_ret] = FromReturnValue(default_);
    result_.default_action = action;
    if (errno_ret && *errno_ret != EPERM) result_.default_errno_ret = errno_ret;
    ChooseArchitectures();
    ChooseFlags();
    TRY(ChooseListener());
    for (const std::string& name : Names()) TRY(AddName(name));
    WriteRules();
    KeepNewestNamed();
    TRY(CheckExact());
    return std::move(result_);
  }

 private:
  void ChooseArchitectures() {
    const std::set<Arch> first = ArchsOf(first_profile_, options_.native);
    const std::set<Arch> second = ArchsOf(second_profile_, options_.native);
    for (const auto& info : syscalls::AllArchs()) {
      const int sides = static_cast<int>(first.contains(info.arch)) + static_cast<int>(second.contains(info.arch));
      if (sides == 2 || (sides == 1 && options_.architectures == Keep::kOfEither)) archs_.push_back(info.arch);
    }
    std::ranges::stable_partition(archs_, [&](Arch arch) { return arch == options_.native; });
    if (!first_profile_.architectures.empty() || !second_profile_.architectures.empty()) {
      result_.architectures = archs_;
    }
  }

  // No flags mean SPEC_ALLOW, the runtimes' own choice.
  static std::set<FilterFlag> FlagsOf(const ResolvedProfile& profile) {
    if (profile.flags.empty()) return {FilterFlag::kSpecAllow};
    return {profile.flags.begin(), profile.flags.end()};
  }

  void ChooseFlags() {
    if (first_profile_.flags.empty() && second_profile_.flags.empty()) return;
    const std::set<FilterFlag> first = FlagsOf(first_profile_);
    const std::set<FilterFlag> second = FlagsOf(second_profile_);
    for (const FilterFlag flag :
         {FilterFlag::kTsync, FilterFlag::kLog, FilterFlag::kSpecAllow, FilterFlag::kWaitKillableRecv}) {
      // SPEC_ALLOW gives a protection up; the others add something.
      const bool both = options_.flags == Keep::kOfBoth && flag == FilterFlag::kSpecAllow;
      const int sides = static_cast<int>(first.contains(flag)) + static_cast<int>(second.contains(flag));
      if (sides == 2 || (sides == 1 && !both)) result_.flags.push_back(flag);
    }
  }

  Result<void> ChooseListener() {
    const auto choose = [](const std::string& first, const std::string& second,
                           const char* field) -> Result<std::string> {
      if (first.empty() || second.empty() || first == second) return first.empty() ? second : first;
      return Fail(Code::kInvalidArgument, "the profiles have different listeners: {} {} and {}", field,
                  base::Quote(first), base::Quote(second));
    };
    ASSIGN_OR_RETURN(result_.listener_path,
                     choose(first_profile_.listener_path, second_profile_.listener_path, "listenerPath"));
    ASSIGN_OR_RETURN(result_.listener_metadata,
                     choose(first_profile_.listener_metadata, second_profile_.listener_metadata, "listenerMetadata"));
    return {};
  }

  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const ResolvedProfile* profile : {&first_profile_, &second_profile_}) {
      for (const ResolvedRule& rule : profile->syscalls) names.insert(rule.names.begin(), rule.names.end());
    }
    return names;
  }

  Result<Node> Wanted(uint32_t audit_arch, uint32_t number) {
    ASSIGN_OR_RETURN(const Node a, first_.Of(audit_arch, number));
    ASSIGN_OR_RETURN(const Node b, second_.Of(audit_arch, number));
    return diagrams_.Combine(a, b, combiner_);
  }

  // A function of 32-bit arguments is that of 64-bit ones whose high halves are 0, in every rule that a profile can
  // say. So the rules come from an architecture with 64-bit arguments where the call has one; CheckExact holds them
  // against all.
  Result<void> AddName(const std::string& name) {
    std::optional<Arch> from;
    for (const Arch arch : archs_) {
      if (!syscalls::NumberOf(arch, name)) continue;
      if (!from || (syscalls::InfoOf(*from).bits == 32 && syscalls::InfoOf(arch).bits == 64)) from = arch;
    }
    if (!from) return {};
    ASSIGN_OR_RETURN(const Node wanted, Wanted(syscalls::InfoOf(*from).audit_arch, *syscalls::NumberOf(*from, name)));
    auto rules = ToArgumentRules(diagrams_, wanted, default_);
    if (!rules) return Wrap(rules.error(), "{}", name);
    if (!rules->empty()) names_of_[*std::move(rules)].push_back(name);
    return {};
  }

  void WriteRules() {
    for (const auto& [rules, names] : names_of_) {
      for (const ArgumentRule& rule : rules) {
        const auto [action, errno_ret] = FromReturnValue(rule.answer);
        result_.syscalls.push_back({.names = names, .action = action, .errno_ret = errno_ret, .args = rule.tests});
      }
    }
    // Allowed calls first, as profiles are read; rules of one call never overlap, so their order means nothing.
    std::ranges::stable_partition(result_.syscalls,
                                  [](const ResolvedRule& rule) { return rule.action == Action::kAllow; });
  }

  static std::optional<uint32_t> NewestOf(const ResolvedProfile& profile, Arch arch, std::string* name) {
    std::optional<uint32_t> newest;
    for (const ResolvedRule& rule : profile.syscalls) {
      for (const std::string& candidate : rule.names) {
        const auto number = syscalls::NumberOf(arch, candidate);
        if (!number || (newest && *newest >= *number)) continue;
        newest = number;
        *name = candidate;
      }
    }
    return newest;
  }

  // A rule that answers the default action changes no answer, but says that its call is known.
  void KeepNewestNamed() {
    std::set<std::string> kept;
    for (const Arch arch : archs_) {
      std::string of_result, of_first, of_second;
      const auto newest = NewestOf(result_, arch, &of_result);
      const auto first = NewestOf(first_profile_, arch, &of_first);
      const auto second = NewestOf(second_profile_, arch, &of_second);
      const auto wanted = std::max(first, second);
      if (wanted && (!newest || *newest < *wanted)) kept.insert(first == wanted ? of_first : of_second);
    }
    if (kept.empty()) return;
    const auto [action, errno_ret] = FromReturnValue(default_);
    result_.syscalls.push_back(
        {.names = {kept.begin(), kept.end()}, .action = action, .errno_ret = errno_ret, .args = {}});
  }

  // Numbers at which a class of equal behaviour begins, in either profile or the result.
  static void AddBorders(const Behaviour& behaviour, std::map<uint32_t, std::set<uint32_t>>& borders) {
    for (const filter::Group& group : behaviour.groups) {
      for (const filter::Range& range : group.ranges) borders[group.audit_arch].insert(range.first);
    }
  }

  Result<void> CheckExact() {
    Side made(result_, options_.native, diagrams_);
    std::map<uint32_t, std::set<uint32_t>> borders;
    for (const Side* side : {&first_, &second_, &made}) AddBorders(side->behaviour(), borders);
    for (const auto& [audit_arch, numbers] : borders) {
      for (const uint32_t number : numbers) {
        const auto arch = syscalls::ArchFromAudit(audit_arch, number);
        const bool listed = arch && std::ranges::find(archs_, *arch) != archs_.end();
        if (!listed) continue;  // killed, and said so by the architectures of the result
        ASSIGN_OR_RETURN(const Node wanted, Wanted(audit_arch, number));
        ASSIGN_OR_RETURN(const Node got, made.Of(audit_arch, number));
        if (wanted == got) continue;
        return Fail(
            Code::kInvalidArgument,
            "one profile cannot say the result: {} would need other rules than the same name elsewhere (do both "
            "profiles list the same architectures, and one rule set for all names of a call?)",
            CallName(audit_arch, number));
      }
    }
    return {};
  }

  const ResolvedProfile& first_profile_;
  const ResolvedProfile& second_profile_;
  const Combiner combiner_;
  const CombineOptions options_;
  DecisionDiagrams diagrams_;
  Side first_;
  Side second_;
  const uint32_t default_;
  std::vector<Arch> archs_;  // of the result, the native one first
  std::map<ArgumentRules, std::vector<std::string>> names_of_;
  ResolvedProfile result_;
};

}  // namespace

int64_t PermissivenessOf(uint32_t answer) { return static_cast<int32_t>(answer & 0xffff0000); }

uint32_t MorePermissive(uint32_t first, uint32_t second) {
  return PermissivenessOf(second) > PermissivenessOf(first) ? second : first;
}

uint32_t LessPermissive(uint32_t first, uint32_t second) {
  return PermissivenessOf(second) < PermissivenessOf(first) ? second : first;
}

Result<ResolvedProfile> Combine(const ResolvedProfile& first, const ResolvedProfile& second, Combiner combiner,
                                const CombineOptions& options) {
  return Combination(first, second, combiner, options).Run();
}

}  // namespace portcullis::algebra
