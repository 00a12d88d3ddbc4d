#include "cli/status_verify.h"

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "base/try.h"
#include "cli/profile/differences.h"
#include "cli/profile/match.h"
#include "engine/seccomp/resolved.h"
#include "host/filter/filters.h"

namespace portcullis::cli {
namespace {

Result<KernelVerdict> Verify(pid_t pid, const nlohmann::json& meant) {
  ASSIGN_OR_RETURN(const std::vector<bpf::Program> filters, host::ReadFilters(pid));
  if (meant.is_null()) {
    if (filters.empty()) return KernelVerdict{.as_meant = true, .text = "no filter, as meant"};
    return KernelVerdict{.as_meant = false, .text = "a filter, and none was meant"};
  }
  if (filters.empty()) return KernelVerdict{.as_meant = false, .text = "no filter, and one was meant"};
  ASSIGN_OR_RETURN(const seccomp::ResolvedProfile profile, seccomp::FromJson(meant, "linux.seccomp"));
  const std::string own = filters.size() > 1 ? fmt::format(", and {} of the program's own", filters.size() - 1) : "";
  ASSIGN_OR_RETURN(const Match match, MatchFilter(filters.back(), profile, syscalls::NativeArch()));
  if (!match.equal) {
    return KernelVerdict{.as_meant = false,
                         .text = match.counterexample ? CounterexampleText(*match.counterexample) : "differs"};
  }
  const std::string left_out =
      match.left_out.empty()
          ? ""
          : ", but for calls that the OCI runtime's libseccomp does not know: " + base::Join(match.left_out, ", ");
  return KernelVerdict{
      .as_meant = true,
      .text = fmt::format("{} instructions, proven as meant{}{}", filters.back().size(), own, left_out)};
}

}  // namespace

KernelVerdict VerifyFilters(pid_t pid, const nlohmann::json& meant) {
  auto verdict = Verify(pid, meant);
  if (verdict) return *std::move(verdict);
  return {.as_meant = std::nullopt, .text = verdict.error().message};
}

}  // namespace portcullis::cli
