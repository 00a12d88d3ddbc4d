#include "cli/status_verify.h"

#include <nlohmann/json.hpp>

#include "base/try.h"
#include "cli/profile/differences.h"
#include "engine/filter/prove.h"
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
  std::optional<filter::Counterexample> example;
  for (const auto newer : {filter::NewerSyscalls::kAsWritten, filter::NewerSyscalls::kEnosys}) {
    ASSIGN_OR_RETURN(const filter::Verdict verdict,
                     filter::Prove(filters.back(), filter::Describe(profile, {.newer = newer})));
    if (verdict.equal) {
      return KernelVerdict{.as_meant = true,
                           .text = fmt::format("{} instructions, proven as meant{}", filters.back().size(), own)};
    }
    example = verdict.counterexample;
  }
  return KernelVerdict{.as_meant = false, .text = example ? CounterexampleText(*example) : "differs"};
}

}  // namespace

KernelVerdict VerifyFilters(pid_t pid, const nlohmann::json& meant) {
  auto verdict = Verify(pid, meant);
  if (verdict) return *std::move(verdict);
  return {.as_meant = std::nullopt, .text = verdict.error().message};
}

}  // namespace portcullis::cli
