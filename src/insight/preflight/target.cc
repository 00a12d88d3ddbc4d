#include "insight/preflight/target.h"

#include <algorithm>
#include <cerrno>

#include "base/strings.h"
#include "base/try.h"
#include "engine/seccomp/capabilities.h"
#include "engine/syscalls/syscalls.h"
#include "insight/preflight/knowledge.h"
#include "spec/oci/capabilities.h"

namespace portcullis::insight {
namespace {

using seccomp::Action;
using syscalls::Arch;

std::string WithPrefix(const std::string& name) {
  std::string upper = name;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper.starts_with("CAP_") || upper == "ALL" ? upper : "CAP_" + upper;
}

bool Asks(const std::vector<std::string>& list, std::string_view name) {
  return std::ranges::any_of(list, [&](const std::string& one) { return WithPrefix(one) == name; });
}

// Architectures whose programs one kernel can run.
int FamilyOf(Arch arch) {
  switch (arch) {
    case Arch::kX86_64:
    case Arch::kX86:
    case Arch::kX32:
      return 1;
    case Arch::kAarch64:
    case Arch::kArm:
      return 2;
    case Arch::kS390x:
    case Arch::kS390:
      return 3;
    case Arch::kPpc64:
    case Arch::kPpc:
      return 4;
    case Arch::kMips:
    case Arch::kMips64:
    case Arch::kMips64n32:
      return 5;
    case Arch::kMipsel:
    case Arch::kMipsel64:
    case Arch::kMipsel64n32:
      return 6;
    default:
      return 100 + static_cast<int>(arch);
  }
}

}  // namespace

std::string LabelOf(const Target& target) {
  return fmt::format("{}, kernel {}, {}", target.name, seccomp::ToString(target.kernel),
                     syscalls::InfoOf(target.host).docker_name);
}

filter::NewerSyscalls UsualNewer(seccomp::Flavour flavour) {
  return flavour == seccomp::Flavour::kCriO ? filter::NewerSyscalls::kAsWritten : filter::NewerSyscalls::kEnosys;
}

Result<std::vector<std::string>> BoundingOf(const Target& target, const Capabilities& request) {
  oci::CapabilityRequest wanted{
      .privileged = false, .add = request.add, .drop = request.drop, .ambient = {}, .daemon = {}};
  for (const std::string_view name : seccomp::CapabilityNames()) wanted.daemon.emplace_back(name);
  if (target.flavour == seccomp::Flavour::kCriO && !Asks(request.add, "ALL")) {
    const auto base = seccomp::CriODefaultCapabilities();
    for (const std::string& name : seccomp::DockerDefaultCapabilities()) {
      if (std::ranges::find(base, name) == base.end() && !Asks(request.add, name)) wanted.drop.push_back(name);
    }
  }
  ASSIGN_OR_RETURN(const oci::CapabilitySet set, oci::ComputeCapabilities(wanted));
  return set.bounding;
}

Result<Enforced> Enforce(const Target& target, const std::vector<std::string>& bounding) {
  auto resolved = seccomp::Resolve(
      target.profile, {.bounding = bounding, .host = target.host, .kernel = target.kernel, .flavour = target.flavour});
  if (!resolved) return Wrap(resolved.error(), "profile {}", target.name);
  filter::Behaviour behaviour = filter::Describe(*resolved, {.native = target.host, .newer = target.newer});
  return Enforced{.profile = *std::move(resolved), .behaviour = std::move(behaviour), .host = target.host};
}

std::optional<std::vector<Answer>> Possible(const Enforced& enforced, const Call& call) {
  const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
  if (!arch || FamilyOf(*arch) != FamilyOf(enforced.host)) return std::nullopt;
  seccomp::KnownArgs known;
  for (const CallArgument& argument : call.arguments) {
    if (argument.index >= 0 && static_cast<size_t>(argument.index) < known.size()) {
      known[static_cast<size_t>(argument.index)] = argument.value;
    }
  }
  std::vector<Answer> answers;
  for (const seccomp::Decision& decision :
       seccomp::EvaluatePartly(enforced.profile, *arch, call.number, known, enforced.host)) {
    answers.push_back({.decision = decision, .newer = false});
  }
  const filter::Leaf* leaf = filter::FindLeaf(enforced.behaviour, call.audit_arch, call.number);
  const uint32_t enosys = filter::kReturnErrno | ENOSYS;
  const bool is_default = answers.size() == 1 && !answers[0].decision.rule && !answers[0].decision.foreign_arch;
  if (is_default && leaf != nullptr && leaf->constant() && leaf->otherwise == enosys && ErrnoOf(answers[0]) != ENOSYS) {
    answers[0] = {.decision = {.action = Action::kErrno, .data = ENOSYS, .rule = std::nullopt, .foreign_arch = false},
                  .newer = true};
  }
  return answers;
}

bool LetsThrough(const Answer& answer) {
  return answer.decision.action == Action::kAllow || answer.decision.action == Action::kLog;
}

int ErrnoOf(const Answer& answer) {
  switch (answer.decision.action) {
    case Action::kAllow:
    case Action::kLog:
      return 0;
    case Action::kErrno:
      return static_cast<int>(answer.decision.data);
    case Action::kTrace:
    case Action::kNotify:
      return ENOSYS;
    default:
      return kKilled;
  }
}

std::string TextOf(const Enforced& enforced, const Call& call, const Answer& answer) {
  const seccomp::Decision& decision = answer.decision;
  const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
  if (decision.foreign_arch) {
    return fmt::format("killed: the profile does not list {}",
                       arch ? syscalls::InfoOf(*arch).scmp_name : "its architecture");
  }
  const std::string what = decision.action == Action::kErrno ? seccomp::ErrnoName(decision.data)
                                                             : std::string(seccomp::ActionName(decision.action));
  if (answer.newer) return what + ", newer than all that the profile names";
  if (decision.rule) return fmt::format("{} by /syscalls/{}", what, *decision.rule);
  const auto names = arch ? syscalls::NamesOf(*arch, call.number) : std::span<const syscalls::Entry>{};
  const bool has_rules = std::ranges::any_of(enforced.profile.syscalls, [&](const seccomp::ResolvedRule& rule) {
    return std::ranges::any_of(names, [&](const syscalls::Entry& entry) {
      return std::ranges::find(rule.names, entry.name) != rule.names.end();
    });
  });
  return what + (has_rules ? " by the default action, since no rule of this call fits its arguments"
                           : " by the default action");
}

}  // namespace portcullis::insight
