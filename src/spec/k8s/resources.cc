#include "spec/k8s/resources.h"

#include <algorithm>
#include <limits>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::k8s {
namespace {

constexpr int64_t kMinShares = 2;
constexpr int64_t kMaxShares = 262144;
constexpr int64_t kMinQuota = 1000;
constexpr std::string_view kSlice = ".slice";
constexpr int kGuaranteedOomScore = -997;
constexpr int kBestEffortOomScore = 1000;

const Quantity* Find(const ResourceList& list, const char* name) {
  const auto it = list.find(name);
  return it == list.end() || it->second.IsZero() ? nullptr : &it->second;
}

int64_t MilliCpu(const ResourceList& list) {
  const Quantity* cpu = Find(list, "cpu");
  return cpu == nullptr ? 0 : cpu->MilliValue();
}

int64_t Memory(const ResourceList& list) {
  const Quantity* memory = Find(list, "memory");
  return memory == nullptr ? 0 : memory->Value();
}

// The request, or the limit where there is no request.
int64_t RequestedMilliCpu(const Container& container) {
  return container.resources.requests.contains("cpu") ? MilliCpu(container.resources.requests)
                                                      : MilliCpu(container.resources.limits);
}

int64_t SaturatingAdd(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<int64_t>::max() : sum;
}

template <class Visit>
void EachContainer(const PodSpec& spec, Visit visit) {
  for (const Container& container : spec.containers) visit(container);
  for (const Container& container : spec.init_containers) visit(container);
}

int OomScore(const Pod& pod, const Container& container, int64_t memory_capacity) {
  if (IsNodeCritical(pod.spec)) return kGuaranteedOomScore;
  const QosClass qos = PodQos(pod.spec);
  if (qos == QosClass::kGuaranteed) return kGuaranteedOomScore;
  if (qos == QosClass::kBestEffort || memory_capacity <= 0) return kBestEffortOomScore;
  const int64_t request = std::min(Memory(container.resources.requests), memory_capacity);
  const auto share = static_cast<__int128>(request) * 1000 / memory_capacity;
  return std::clamp(1000 - static_cast<int>(share), 1000 + kGuaranteedOomScore, kBestEffortOomScore - 1);
}

// Of its containers together, or the largest init container where that is more.
int64_t PodMilliCpu(const Pod& pod) {
  int64_t sum = 0;
  for (const Container& container : pod.spec.containers) sum = SaturatingAdd(sum, RequestedMilliCpu(container));
  for (const Container& container : pod.spec.init_containers) sum = std::max(sum, RequestedMilliCpu(container));
  return sum;
}

// The names from the root down to `last`, one for each level.
std::vector<std::string> CgroupNames(QosClass qos, const std::string& last) {
  std::vector<std::string> names = {"kubepods"};
  if (qos == QosClass::kBurstable) names.emplace_back("burstable");
  if (qos == QosClass::kBestEffort) names.emplace_back("besteffort");
  if (!last.empty()) names.push_back(last);
  return names;
}

// kubepods-burstable-pod1_2.slice below its parents, as systemd nests slices by dashes.
std::string SystemdPath(const std::string& root, const std::vector<std::string>& names) {
  std::string prefix;
  std::string path;
  const auto descend = [&prefix, &path](std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    path += "/" + prefix + name + std::string(kSlice);
    prefix += name + "-";
  };
  for (const std::string& part : base::Split(root, '/')) {
    if (part.empty()) continue;
    if (!part.ends_with(kSlice)) {
      descend(part);
      continue;
    }
    // A slice's name says itself where it is.
    prefix = path = "";
    for (const std::string& name : base::Split(part.substr(0, part.size() - kSlice.size()), '-')) descend(name);
  }
  for (const std::string& name : names) descend(name);
  return path;
}

std::string CgroupPath(CgroupDriver driver, const std::string& root, const std::vector<std::string>& names) {
  if (driver == CgroupDriver::kSystemd) return SystemdPath(root, names);
  std::string path = root.empty() ? "/" : root;
  for (const std::string& name : names) path = base::JoinPath(path, name);
  return path;
}

}  // namespace

std::string QosClassName(QosClass qos) {
  switch (qos) {
    case QosClass::kGuaranteed:
      return "Guaranteed";
    case QosClass::kBurstable:
      return "Burstable";
    case QosClass::kBestEffort:
      return "BestEffort";
  }
  return "";
}

QosClass PodQos(const PodSpec& spec) {
  bool any = false;
  bool guaranteed = true;
  EachContainer(spec, [&](const Container& container) {
    for (const char* name : {"cpu", "memory"}) {
      const Quantity* request = Find(container.resources.requests, name);
      const Quantity* limit = Find(container.resources.limits, name);
      any = any || request != nullptr || limit != nullptr;
      guaranteed = guaranteed && limit != nullptr && request != nullptr && *request == *limit;
    }
  });
  if (!any) return QosClass::kBestEffort;
  return guaranteed ? QosClass::kGuaranteed : QosClass::kBurstable;
}

int64_t MilliCpuToShares(int64_t milli_cpu) {
  if (milli_cpu <= 0) return kMinShares;
  if (milli_cpu >= kMaxShares) return kMaxShares;
  return std::clamp(milli_cpu * 1024 / 1000, kMinShares, kMaxShares);
}

int64_t MilliCpuToQuota(int64_t milli_cpu, int64_t period) {
  if (milli_cpu <= 0 || period <= 0) return 0;
  const auto quota = static_cast<__int128>(milli_cpu) * period / 1000;
  if (quota > std::numeric_limits<int64_t>::max()) return std::numeric_limits<int64_t>::max();
  return std::max(kMinQuota, static_cast<int64_t>(quota));
}

int64_t SharesToWeight(int64_t shares) {
  return 1 + (std::clamp(shares, kMinShares, kMaxShares) - kMinShares) * 9999 / (kMaxShares - kMinShares);
}

ContainerResources ResourcesOf(const Pod& pod, const Container& container, int64_t memory_capacity,
                               bool cpu_cfs_quota) {
  ContainerResources out;
  out.cpu_quota = cpu_cfs_quota ? MilliCpuToQuota(MilliCpu(container.resources.limits)) : 0;
  out.cpu_shares = MilliCpuToShares(RequestedMilliCpu(container));
  out.memory_limit = Memory(container.resources.limits);
  out.oom_score_adj = OomScore(pod, container, memory_capacity);
  return out;
}

PodResources ResourcesOfPod(const Pod& pod) {
  int64_t cpu_limit = 0;
  int64_t memory_limit = 0;
  bool all_cpu = true;
  bool all_memory = true;
  for (const Container& container : pod.spec.containers) {
    cpu_limit = SaturatingAdd(cpu_limit, MilliCpu(container.resources.limits));
    memory_limit = SaturatingAdd(memory_limit, Memory(container.resources.limits));
  }
  for (const Container& container : pod.spec.init_containers) {
    cpu_limit = std::max(cpu_limit, MilliCpu(container.resources.limits));
    memory_limit = std::max(memory_limit, Memory(container.resources.limits));
  }
  EachContainer(pod.spec, [&](const Container& container) {
    all_cpu = all_cpu && MilliCpu(container.resources.limits) > 0;
    all_memory = all_memory && Memory(container.resources.limits) > 0;
  });
  return {.cpu_shares = MilliCpuToShares(PodMilliCpu(pod)),
          .cpu_quota = all_cpu ? MilliCpuToQuota(cpu_limit) : 0,
          .memory_limit = all_memory ? memory_limit : 0};
}

std::string PodCgroupParent(CgroupDriver driver, const std::string& root, QosClass qos, const std::string& pod_uid) {
  return CgroupPath(driver, root, CgroupNames(qos, "pod" + pod_uid));
}

std::string QosCgroup(CgroupDriver driver, const std::string& root, QosClass qos) {
  return CgroupPath(driver, root, CgroupNames(qos, ""));
}

QosShares QosSharesOf(const std::vector<std::shared_ptr<const Pod>>& pods) {
  int64_t burstable = 0;
  for (const auto& pod : pods) {
    if (PodQos(pod->spec) == QosClass::kBurstable) burstable = SaturatingAdd(burstable, PodMilliCpu(*pod));
  }
  return {.burstable = MilliCpuToShares(burstable), .best_effort = kMinShares};
}

}  // namespace portcullis::k8s
