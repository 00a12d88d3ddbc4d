#include "cli/profile/match.h"

#include <algorithm>
#include <set>

#include "base/try.h"
#include "engine/algebra/combine.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::cli {
namespace {

// libseccomp 2.5.0, the oldest that a supported distribution has, knows the calls of Linux 5.8.
constexpr syscalls::KernelRelease kKnownToAll{5, 8};

// More steps than any filter of a known libseccomp needs.
constexpr int kMostSteps = 1000;

bool IsErrno(uint32_t answer) {
  return algebra::PermissivenessOf(answer) == algebra::PermissivenessOf(filter::kReturnErrno);
}

// A number that no kernel has a call for, denied at least as strictly: makers draw that border in their own ways (where
// ENOSYS begins, whether bit 31 is looked at).
bool IsUnknownAndDenied(uint32_t audit_arch, uint32_t number, uint32_t from_filter, uint32_t from_profile) {
  const auto arch = syscalls::ArchFromAudit(audit_arch, number);
  return arch && !syscalls::NameOf(*arch, number) &&
         algebra::PermissivenessOf(from_filter) <= algebra::PermissivenessOf(from_profile);
}

// From now on the behaviour gives this constant answer to the number, and with `to_end` to all of its range above.
void Concede(filter::Behaviour& behaviour, uint32_t audit_arch, uint32_t number, bool to_end, uint32_t answer) {
  const auto leaf = static_cast<uint32_t>(behaviour.leaves.size());
  behaviour.leaves.push_back({.rules = {}, .otherwise = answer, .narrow = false});
  for (filter::Group& group : behaviour.groups) {
    if (group.audit_arch != audit_arch) continue;
    const auto at = std::ranges::lower_bound(group.ranges, number, {}, &filter::Range::last);
    const filter::Range whole = *at;
    const uint32_t last = to_end ? whole.last : number;
    std::vector<filter::Range> parts;
    if (whole.first < number) parts.push_back({whole.first, number - 1, whole.leaf});
    parts.push_back({number, last, leaf});
    if (last < whole.last) parts.push_back({last + 1, whole.last, whole.leaf});
    group.ranges.insert(group.ranges.erase(at), parts.begin(), parts.end());
  }
}

Result<Match> MatchWith(std::span<const bpf::Insn> program, const seccomp::ResolvedProfile& profile,
                        const filter::Options& options) {
  filter::Behaviour behaviour = filter::Describe(profile, options);
  std::set<std::string> left_out;
  Match match;
  for (int step = 0; step < kMostSteps && !match.equal; ++step) {
    ASSIGN_OR_RETURN(const filter::Verdict verdict, filter::Prove(program, behaviour));
    match.equal = verdict.equal;
    match.counterexample = verdict.counterexample;
    if (verdict.equal) break;
    const auto& [call, from_filter, from_profile] = *verdict.counterexample;
    const bool unknown = IsUnknownAndDenied(call.arch, call.nr, from_filter, from_profile);
    if (!unknown && !MayBeLeftOut(call.arch, call.nr, from_filter, from_profile)) break;
    if (!unknown && !IsErrno(from_profile)) {
      left_out.emplace(*syscalls::NameOf(*syscalls::ArchFromAudit(call.arch, call.nr), call.nr));
    }
    Concede(behaviour, call.arch, call.nr, unknown, from_filter);
  }
  match.left_out.assign(left_out.begin(), left_out.end());
  return match;
}

}  // namespace

bool MayBeLeftOut(uint32_t audit_arch, uint32_t number, uint32_t from_filter, uint32_t from_profile) {
  const auto arch = syscalls::ArchFromAudit(audit_arch, number);
  const auto name = arch ? syscalls::NameOf(*arch, number) : std::nullopt;
  const auto since = name ? syscalls::SinceOf(*name) : std::nullopt;
  return since && *since > kKnownToAll &&
         algebra::PermissivenessOf(from_filter) <= algebra::PermissivenessOf(from_profile);
}

Result<Match> MatchFilter(std::span<const bpf::Insn> program, const seccomp::ResolvedProfile& profile,
                          syscalls::Arch native) {
  std::optional<Match> best;
  for (const auto newer : {filter::NewerSyscalls::kEnosys, filter::NewerSyscalls::kAsWritten}) {
    ASSIGN_OR_RETURN(Match match, MatchWith(program, profile, {.native = native, .newer = newer}));
    const bool better =
        !best || (match.equal && !best->equal) || (match.equal && match.left_out.size() < best->left_out.size());
    if (better) best = std::move(match);
  }
  return *std::move(best);
}

}  // namespace portcullis::cli
