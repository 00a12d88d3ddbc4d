// Limits of huge pages. Kubelets send one for every page size that the host knows, mostly 0, whether or not its kernel
// has a cgroup controller that could hold anyone to it.
#pragma once

#include <string>
#include <vector>

#include "runtime/container/cgroups.h"
#include "spec/oci/runtime_spec.h"

namespace portcullis::runtime {

bool HasHugetlb(const Cgroups& cgroups);

// Takes them out where there is no controller, as other runtimes do: an OCI runtime would fail on them. `notes` gets
// the ones that asked for pages.
void KeepPossibleHugepageLimits(const Cgroups& cgroups, oci::Resources& resources, std::vector<std::string>& notes);

}  // namespace portcullis::runtime
