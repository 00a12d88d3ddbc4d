#include "cli/reserved_cgroups.h"

#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::cli {
namespace {

Result<void> Enforce(const runtime::Cgroups& cgroups, const std::string& name, const k8s::CgroupLimits& limits,
                     std::string_view whose) {
  const std::string path = name.starts_with('/') ? name : "/" + name;
  const auto fail = [&](const std::string& why) {
    return Fail(Code::kFailedPrecondition, "Failed to enforce {} Reserved Cgroup Limits on {}: {}", whose,
                base::Quote(name), why);
  };
  if (cgroups.CgroupId(path) == 0) return fail(base::Quote(name) + " cgroup does not exist");
  if (const auto set = cgroups.SetLimits(path, ToLimits(limits)); !set) return fail(set.error().message);
  base::LogInfo("limits of a reserved cgroup set", {{"cgroup", path},
                                                    {"cpuShares", std::to_string(limits.cpu_shares)},
                                                    {"memory", std::to_string(limits.memory)},
                                                    {"pids", std::to_string(limits.pids)}});
  return {};
}

}  // namespace

runtime::Cgroups::Limits ToLimits(const k8s::CgroupLimits& limits) {
  runtime::Cgroups::Limits out;
  if (limits.cpu_shares > 0) out.cpu_shares = static_cast<uint64_t>(limits.cpu_shares);
  if (limits.memory > 0) out.memory_bytes = limits.memory;
  if (limits.pids > 0) out.pids = limits.pids;
  return out;
}

Result<void> EnforceReserved(const k8s::Reservations& reservations, const runtime::Cgroups& cgroups) {
  for (const bool compressible : {false, true}) {
    const std::string suffix = compressible ? "-compressible" : "";
    if (reservations.Enforces("system-reserved" + suffix)) {
      TRY(Enforce(cgroups, reservations.system_cgroup, k8s::ReservedLimits(reservations.system, compressible),
                  "System"));
    }
    if (reservations.Enforces("kube-reserved" + suffix)) {
      TRY(Enforce(cgroups, reservations.kube_cgroup, k8s::ReservedLimits(reservations.kube, compressible), "Kube"));
    }
  }
  return {};
}

}  // namespace portcullis::cli
