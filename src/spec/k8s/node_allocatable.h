// What of a machine pods may use: its capacity less what is reserved (Kubernetes' "node allocatable").
//
//   ASSIGN_OR_RETURN(NodeResources left, Allocatable({.cpu_milli = 4000, .memory = 8ll << 30}, reservations));
//
// The rules are those of a kubelet (pkg/kubelet/cm/node_container_manager_linux.go). Everything here is arithmetic.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/result.h"
#include "spec/k8s/pod.h"

namespace portcullis::k8s {

struct NodeResources {
  int64_t cpu_milli = 0;
  int64_t memory = 0;  // bytes
  int64_t pids = 0;
};

struct Reservations {
  ResourceList system;  // systemReserved: "cpu", "memory", "pid", "ephemeral-storage"
  ResourceList kube;    // kubeReserved
  // enforceNodeAllocatable: "pods", "system-reserved", "kube-reserved", the last two also with "-compressible"; "none".
  std::set<std::string> enforced = {"pods"};
  std::string system_cgroup;  // systemReservedCgroup, an existing one
  std::string kube_cgroup;

  bool Enforces(const std::string& what) const { return enforced.contains(what); }
};

// Never below 0. kInvalidArgument when more is reserved than there is; the text is the kubelet's.
Result<NodeResources> Allocatable(const NodeResources& capacity, const Reservations& reservations);

// Limits of one cgroup; 0: none.
struct CgroupLimits {
  int64_t cpu_shares = 0;
  int64_t memory = 0;  // bytes
  int64_t pids = 0;
  bool operator==(const CgroupLimits&) const = default;
};

// Of the cgroup of all pods ("kubepods"): what is allocatable when "pods" is enforced, else all of the machine.
CgroupLimits PodsLimits(const NodeResources& capacity, const NodeResources& allocatable,
                        const Reservations& reservations);

// Of systemReservedCgroup or kubeReservedCgroup. `compressible`: cpu alone.
CgroupLimits ReservedLimits(const ResourceList& reserved, bool compressible);

}  // namespace portcullis::k8s
