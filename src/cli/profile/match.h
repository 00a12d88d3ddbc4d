// Is a filter in the kernel the one that a profile means, whoever compiled it?
//
// OCI runtimes differ in two ways that are no fault of the profile: runc answers ENOSYS to calls newer than the profile
// and crun does not; and libseccomp leaves out calls that are newer than itself, which then get the default action or
// ENOSYS. Both are recognised (which errno a call newer than Linux 5.8 is denied with does not count as a difference);
// calls that the profile permits and the filter does not are told, because a workload may notice.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/bpf/program.h"
#include "engine/filter/prove.h"
#include "engine/seccomp/resolved.h"

namespace portcullis::cli {

struct Match {
  bool equal = false;
  std::vector<std::string> left_out;  // calls that the filter's maker did not know: it is equal but for these
  std::optional<filter::Counterexample> counterexample;  // when not equal
};

// True for a call that a libseccomp of these years may not know, and that the filter answers more strictly.
bool MayBeLeftOut(uint32_t audit_arch, uint32_t number, uint32_t from_filter, uint32_t from_profile);

Result<Match> MatchFilter(std::span<const bpf::Insn> program, const seccomp::ResolvedProfile& profile,
                          syscalls::Arch native);

}  // namespace portcullis::cli
