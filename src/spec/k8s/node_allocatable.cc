#include "spec/k8s/node_allocatable.h"

#include <algorithm>
#include <vector>

#include "base/strings.h"
#include "spec/k8s/quantity.h"
#include "spec/k8s/resources.h"

namespace portcullis::k8s {
namespace {

Quantity Reserved(const Reservations& reservations, const std::string& name) {
  Quantity sum;
  for (const ResourceList* list : {&reservations.system, &reservations.kube}) {
    if (const auto found = list->find(name); found != list->end()) sum += found->second;
  }
  return sum;
}

}  // namespace

Result<NodeResources> Allocatable(const NodeResources& capacity, const Reservations& reservations) {
  std::vector<std::string> errors;
  const auto left = [&](const std::string& name, int64_t there, int64_t reserved, const std::string& unit) {
    if (reserved > there) {
      errors.push_back(
          fmt::format("Resource \"{0}\" has a reservation of {1}{3} but capacity of {2}{3}. Expected capacity >= "
                      "reservation.",
                      name, reserved, there, unit));
    }
    return std::max<int64_t>(0, there - reserved);
  };
  NodeResources out;
  out.cpu_milli = left("cpu", capacity.cpu_milli, Reserved(reservations, "cpu").MilliValue(), "m");
  out.memory = left("memory", capacity.memory, Reserved(reservations, "memory").Value(), "");
  out.pids = left("pid", capacity.pids, Reserved(reservations, "pid").Value(), "");
  if (!errors.empty()) {
    return Fail(Code::kInvalidArgument, "invalid Node Allocatable configuration. {}", base::Join(errors, " "));
  }
  return out;
}

CgroupLimits PodsLimits(const NodeResources& capacity, const NodeResources& allocatable,
                        const Reservations& reservations) {
  const NodeResources& from = reservations.Enforces("pods") ? allocatable : capacity;
  return {.cpu_shares = MilliCpuToShares(from.cpu_milli), .memory = from.memory, .pids = from.pids};
}

CgroupLimits ReservedLimits(const ResourceList& reserved, bool compressible) {
  CgroupLimits limits;
  if (const auto cpu = reserved.find("cpu"); cpu != reserved.end())
    limits.cpu_shares = MilliCpuToShares(cpu->second.MilliValue());
  if (compressible) return limits;
  if (const auto memory = reserved.find("memory"); memory != reserved.end()) limits.memory = memory->second.Value();
  if (const auto pids = reserved.find("pid"); pids != reserved.end()) limits.pids = pids->second.Value();
  return limits;
}

}  // namespace portcullis::k8s
