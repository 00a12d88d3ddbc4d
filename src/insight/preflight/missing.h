// What a profile lacks for calls that were seen: the smallest delta, and the smallest profile.
//
//   Addition addition = AdditionFor(enforced, calls);
//   DeltaText(addition, "RuntimeDefault@containerd-2.2.4")     // YAML for `portcullis profile delta`
//
// An entry allows a call for the argument values that were seen where the base tests arguments, and as a whole
// elsewhere. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/algebra/delta.h"
#include "insight/preflight/target.h"

namespace portcullis::insight {

// A call that the profile should let through, and who needs it.
struct Needed {
  Call call;
  std::string caller;  // "/usr/sbin/nginx"
};

struct Addition {
  algebra::Delta delta;               // `base` is left empty
  std::vector<std::string> comments;  // of each entry of delta.allow
  // Calls that no entry can allow: of an architecture that the base does not list, or without a name.
  std::vector<std::string> impossible;
};

Addition AdditionFor(const Enforced& base, std::span<const Needed> needed);

// Which bits of which arguments (by index) a profile looks at, for one call; all bits unless every test is of a mask.
std::map<uint32_t, uint64_t> TestedBits(const seccomp::ResolvedProfile& profile, std::string_view name);

// The rule that lets one call through; nullopt: none can.
std::optional<seccomp::Rule> RuleFor(const Enforced& base, const Call& call);

// One entry as YAML on one line: `io_uring_setup`, `{names: [socket], args: [{index: 0, value: 38, op: SCMP_CMP_EQ}]}`.
std::string EntryText(const seccomp::Rule& rule);
std::string DeltaText(const Addition& addition, const std::string& base);
// A delta's own text with the addition's entries behind those of its `allow` list; all else stays as it was written,
// comments too. Error: `text` is not laid out as a list of lines (it names the entries, to be added by hand).
Result<std::string> AddToDeltaText(const std::string& text, const Addition& addition, const std::string& file);
// An entry of the delta's own `deny` list answers this call, or may.
Result<bool> DeniesOnPurpose(const algebra::Delta& delta, const Enforced& base, const Call& call);

// `profile` without what was not seen: calls whose name is not in `seen` get EPERM (or the errno that they got before).
// `seen` should hold what OCI runtimes call after the filter is on; RuntimeCalls() are those.
Result<seccomp::ResolvedProfile> OnlySeen(const seccomp::ResolvedProfile& profile, const std::set<std::string>& seen,
                                          syscalls::Arch host);
std::set<std::string> RuntimeCalls();

}  // namespace portcullis::insight
