#include "insight/preflight/findings.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/strings.h"
#include "base/try.h"
#include "engine/syscalls/constants.h"
#include "engine/syscalls/syscalls.h"
#include "insight/preflight/missing.h"

namespace portcullis::insight {
namespace {

// The part of the arguments that the profile looks at.
std::vector<CallArgument> TestedArguments(const Enforced& after, const Call& call) {
  std::vector<CallArgument> tested;
  const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
  const auto name = arch ? syscalls::NameOf(*arch, call.number) : std::nullopt;
  if (!name) return tested;
  for (const auto& [index, bits] : TestedBits(after.profile, *name)) {
    const auto known = std::ranges::find(call.arguments, static_cast<int>(index), &CallArgument::index);
    if (known != call.arguments.end()) tested.push_back({known->index, known->value & bits});
  }
  return tested;
}

void AddCallText(const Call& call, Finding& finding) {
  const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
  const auto name = arch ? syscalls::NameOf(*arch, call.number) : std::nullopt;
  const std::string text =
      name ? syscalls::DescribeCall(*arch, *name, call.arguments) : fmt::format("syscall_{}", call.number);
  const bool is_new = std::ranges::find(finding.calls, text) == finding.calls.end();
  if (is_new && finding.calls.size() < kMostCallTexts) finding.calls.push_back(text);
}

void Describe(const Call& call, const Enforced& after, Judgement judgement, Finding& finding) {
  const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
  const auto name = arch ? syscalls::NameOf(*arch, call.number) : std::nullopt;
  constexpr std::string_view kPrefix = "SCMP_ARCH_";
  finding.syscall = name ? std::string(*name) : fmt::format("syscall_{}", call.number);
  finding.arch = arch ? base::ToLower(syscalls::InfoOf(*arch).scmp_name.substr(kPrefix.size()))
                      : fmt::format("{:x}", call.audit_arch);
  finding.number = call.number;
  finding.decided = TextOf(after, call, judgement.answer);
  finding.judgement = std::move(judgement);
}

// Which single capability makes the target's own profile allow the call.
Result<std::vector<std::string>> CapabilitiesFor(const Call& call, const Change& change, EnforcedProfiles& profiles) {
  std::set<std::string> candidates;
  for (const seccomp::Rule& rule : change.target.profile.syscalls) {
    candidates.insert(rule.includes.caps.begin(), rule.includes.caps.end());
  }
  std::vector<std::string> found;
  for (const std::string& capability : candidates) {
    if (std::ranges::find(change.bounding, capability) != change.bounding.end()) continue;
    std::vector<std::string> with = change.bounding;
    with.push_back(capability);
    ASSIGN_OR_RETURN(const Enforced* enforced, profiles.For(change.target, with));
    const auto answers = Possible(*enforced, call);
    if (answers && std::ranges::all_of(*answers, LetsThrough)) found.push_back(capability);
  }
  return found;
}

Result<Remedy> RemedyFor(const Call& call, const Change& change, const Finding& finding, EnforcedProfiles& profiles) {
  Remedy remedy;
  const Judgement& judgement = finding.judgement;
  if (judgement.effect == Effect::kNone) return remedy;
  if (judgement.known != nullptr) remedy.text = judgement.known->remedy;
  if (judgement.effect == Effect::kTolerated) return remedy;
  ASSIGN_OR_RETURN(remedy.capabilities, CapabilitiesFor(call, change, profiles));
  if (judgement.answer.decision.foreign_arch) {
    remedy.kind = RemedyKind::kProfile;
    remedy.text = "a profile of its own that lists " + finding.arch + " among its architectures, or Unconfined";
  } else if (const auto rule = RuleFor(change.after, call)) {
    remedy.kind = RemedyKind::kDelta;
    remedy.delta_entry = EntryText(*rule);
  } else {
    remedy.kind = RemedyKind::kUnconfined;
    remedy.text = "no profile can name this call; nothing smaller than Unconfined lets it through";
  }
  return remedy;
}

}  // namespace

Result<std::vector<Finding>> FindDenied(const std::vector<SeenCall>& calls, const Change& change,
                                        const std::function<bool(size_t)>& only_denied, EnforcedProfiles& profiles) {
  // Calls that only differ in who made them, and when, are one finding as long as they mean the same.
  using Key = std::tuple<uint32_t, uint32_t, std::vector<CallArgument>, Effect, const KnownCall*, std::string>;
  std::map<Key, Finding> found;
  for (const SeenCall& seen : calls) {
    const Call& call = *seen.call;
    auto judgement = Judge(change.after, change.before, call, only_denied(seen.trace));
    if (!judgement) continue;
    const Key key{call.audit_arch,   call.number,      TestedArguments(change.after, call),
                  judgement->effect, judgement->known, judgement->why};
    Finding& finding = found[key];
    AddCallText(call, finding);
    finding.callers.push_back({call.executable, call.comm, call.phase, call.result, call.error, *seen.facts});
    finding.count += seen.facts->count;
    if (finding.callers.size() > 1) continue;
    finding.arguments = std::get<2>(key);
    Describe(call, change.after, *std::move(judgement), finding);
    ASSIGN_OR_RETURN(finding.remedy, RemedyFor(call, change, finding, profiles));
  }
  std::vector<Finding> findings;
  for (auto& [key, finding] : found) {
    std::ranges::stable_sort(finding.callers,
                             [](const Caller& a, const Caller& b) { return a.facts.count > b.facts.count; });
    findings.push_back(std::move(finding));
  }
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) {
    return std::pair(a.judgement.effect, a.count) > std::pair(b.judgement.effect, b.count);
  });
  return findings;
}

}  // namespace portcullis::insight
