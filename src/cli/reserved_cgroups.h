// The cgroups that systemReservedCgroup and kubeReservedCgroup name, and the limits that a node gives them.
#pragma once

#include "base/result.h"
#include "runtime/container/cgroups.h"
#include "spec/k8s/node_allocatable.h"

namespace portcullis::cli {

runtime::Cgroups::Limits ToLimits(const k8s::CgroupLimits& limits);

// What enforceNodeAllocatable asks for beside "pods". The cgroups must exist; they are the system's, and nothing else
// in them is changed. The error texts are the kubelet's.
Result<void> EnforceReserved(const k8s::Reservations& reservations, const runtime::Cgroups& cgroups);

}  // namespace portcullis::cli
