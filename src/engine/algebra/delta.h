// A custom profile as its difference to a default: what a workload needs more, or should have less. It stays small,
// says why it exists, and is applied again when the base moves ("rebased").
//
//   base: RuntimeDefault@containerd-2.2          # or containerd@2.2.4, or a file
//   allow:
//     - io_uring_setup
//     - names: [personality]
//       args: [{index: 0, value: 1, op: SCMP_CMP_EQ}]
//   deny:
//     - names: [keyctl, add_key]
//       errno: ENOSYS                            # EPERM unless given
//
//   ASSIGN_OR_RETURN(Delta delta, ParseDelta(text, "redis.delta.yaml"));
//   ASSIGN_OR_RETURN(ResolvedProfile profile, Apply(base, delta, native));
//
// An entry without arguments is about every call of its names. Where both lists match a call, `deny` wins.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/algebra/combine.h"
#include "engine/seccomp/profile.h"
#include "engine/seccomp/resolve.h"

namespace portcullis::algebra {

struct Delta {
  std::string base;
  std::vector<seccomp::Rule> allow;  // action ALLOW
  std::vector<seccomp::Rule> deny;   // action ERRNO
};

// YAML or JSON. Errors name the file and the field: unknown keys, unknown calls (with the nearest name), an entry
// without names, a file that changes nothing.
Result<Delta> ParseDelta(std::string_view text, const std::string& file);

Result<ResolvedProfile> Apply(const ResolvedProfile& base, const Delta& delta, filter::Arch native);

// Entries that change nothing, because the base answers so already: "allow /0 (io_uring_setup)".
Result<std::vector<std::string>> Superfluous(const ResolvedProfile& base, const Delta& delta, filter::Arch native);

// The same on a profile as written, its conditions kept, so that one file serves every container. It is resolved for
// every single capability, none and all of them, on every architecture that the base maps, and compared with Apply.
// Error: where the two forms would differ (name the container with --caps and write the resolved form instead).
Result<seccomp::Profile> ApplyToProfile(const seccomp::Profile& base, const Delta& delta, seccomp::Flavour flavour);

}  // namespace portcullis::algebra
