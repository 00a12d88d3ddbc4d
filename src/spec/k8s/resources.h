// What the kernel is told about a pod's resources: QoS class, cpu shares and quota, memory, oom_score_adj, cgroup names
// (kubernetes-seccomp.md 6.11). Everything here is arithmetic; nothing touches a cgroup.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "spec/k8s/pod.h"

namespace portcullis::k8s {

enum class QosClass { kGuaranteed, kBurstable, kBestEffort };
std::string QosClassName(QosClass qos);  // "Guaranteed", "Burstable", "BestEffort"
QosClass PodQos(const PodSpec& spec);

inline constexpr int64_t kCpuPeriodMicros = 100000;

int64_t MilliCpuToShares(int64_t milli_cpu);                                    // 2 .. 262144
int64_t MilliCpuToQuota(int64_t milli_cpu, int64_t period = kCpuPeriodMicros);  // 0 = no quota, else at least 1000
int64_t SharesToWeight(int64_t shares);                                         // cgroup v2 cpu.weight

struct ContainerResources {
  int64_t cpu_period = kCpuPeriodMicros;
  int64_t cpu_quota = 0;  // microseconds; 0 = none
  int64_t cpu_shares = 2;
  int64_t memory_limit = 0;  // bytes; 0 = none
  int oom_score_adj = 1000;
};
// `cpu_cfs_quota` is the setting cpuCFSQuota; `memory_capacity` the machine's memory in bytes.
ContainerResources ResourcesOf(const Pod& pod, const Container& container, int64_t memory_capacity,
                               bool cpu_cfs_quota = true);

// Of the whole pod: sums of its containers, or the largest init container where that is more.
struct PodResources {
  int64_t cpu_shares = 2;
  int64_t cpu_quota = 0;     // 0 = none; set only when every container has a cpu limit
  int64_t memory_limit = 0;  // 0 = none; set only when every container has a memory limit
};
PodResources ResourcesOfPod(const Pod& pod);

enum class CgroupDriver { kCgroupfs, kSystemd };

// The pod's cgroup parent, below `root` ("/" or e.g. "/portcullis-test", for systemd also a slice such as
// "test.slice"):
//   cgroupfs:  <root>/kubepods/burstable/pod<uid>
//   systemd:   /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid with - as _>.slice
// systemd: dashes within a name become _, and "/a/b-c" as root is "/a.slice/a-b_c.slice" (the kubelet's CgroupName).
std::string PodCgroupParent(CgroupDriver driver, const std::string& root, QosClass qos, const std::string& pod_uid);

// The cgroup that holds all pods of a class; Guaranteed: that of all pods, "kubepods".
std::string QosCgroup(CgroupDriver driver, const std::string& root, QosClass qos);

// cpu.shares of the classes' cgroups: burstable pods get what they request together, best effort ones the least (the
// kubelet's QOSContainerManager). That of all pods is node_allocatable.h's.
struct QosShares {
  int64_t burstable = 2;
  int64_t best_effort = 2;
};
QosShares QosSharesOf(const std::vector<std::shared_ptr<const Pod>>& pods);

}  // namespace portcullis::k8s
