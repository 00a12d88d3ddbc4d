// A cgroup's limits as systemd's properties of a slice (systemd.resource-control(5)). Pure.
#pragma once

#include "host/systemd/units.h"
#include "runtime/container/cgroups.h"

namespace portcullis::runtime {

// v1 and hybrid: CPUShares, MemoryLimit; unified: CPUWeight, MemoryMax. Quota: microseconds per second, rounded up to
// the 10 ms that systemd works in. Every limit that is not given stays as it is.
host::UnitProperties SliceProperties(const Cgroups::Limits& limits, CgroupLayout layout);

}  // namespace portcullis::runtime
