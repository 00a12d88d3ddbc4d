// Container and pod statistics, read from the cgroups and the pod's network namespace when asked.
#include "base/clock.h"
#include "base/try.h"
#include "runtime/service/batches.h"
#include "runtime/service/filters.h"
#include "runtime/service/network_counters.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {
namespace {

cri::CpuUsage Cpu(const CgroupStats& stats, int64_t now, uint64_t rate) {
  cri::CpuUsage cpu{.timestamp = now};
  cpu.usage_core_nano_seconds = cri::UInt64Value{.value = stats.cpu_usage_nanos};
  cpu.usage_nano_cores = cri::UInt64Value{.value = rate};
  return cpu;
}

cri::MemoryUsage Memory(const CgroupStats& stats, int64_t now) {
  cri::MemoryUsage memory{.timestamp = now};
  const uint64_t working_set = stats.memory_working_set_bytes;
  memory.working_set_bytes = cri::UInt64Value{.value = working_set};
  uint64_t available = 0;
  if (stats.memory_limit_bytes && *stats.memory_limit_bytes > working_set)
    available = *stats.memory_limit_bytes - working_set;
  memory.available_bytes = cri::UInt64Value{.value = available};
  memory.usage_bytes = cri::UInt64Value{.value = stats.memory_usage_bytes};
  memory.rss_bytes = cri::UInt64Value{.value = stats.memory_rss_bytes};
  memory.page_faults = cri::UInt64Value{.value = stats.page_faults};
  memory.major_page_faults = cri::UInt64Value{.value = stats.major_page_faults};
  return memory;
}

}  // namespace

uint64_t RuntimeService::CpuRate(const std::string& id, int64_t now_nanos, uint64_t usage_nanos) {
  constexpr int64_t kShortest = 100'000'000;  // two looks within 100 ms would measure noise
  std::lock_guard lock(cpu_mutex_);
  const auto [entry, is_new] = cpu_samples_.try_emplace(id, CpuSample{now_nanos, usage_nanos, 0});
  CpuSample& last = entry->second;
  if (is_new || now_nanos - last.time_nanos < kShortest) return last.rate;
  const uint64_t used = usage_nanos > last.usage_nanos ? usage_nanos - last.usage_nanos : 0;
  const double seconds = static_cast<double>(now_nanos - last.time_nanos) / 1e9;
  last = {now_nanos, usage_nanos, static_cast<uint64_t>(static_cast<double>(used) / seconds)};
  return last.rate;
}

Result<cri::ContainerStats> RuntimeService::StatsOf(const ContainerRow& row, const SandboxRow& sandbox) {
  cri::ContainerStats stats;
  auto& attributes = stats.attributes.emplace();
  attributes.id = row.id;
  attributes.metadata = row.config.metadata;
  attributes.labels = row.config.labels;
  attributes.annotations = row.config.annotations;
  if (row.step == ContainerStep::kRunning) {
    auto cgroup = cgroups_.Stats(HandleOf(row, sandbox).Cgroup());
    if (!cgroup && cgroup.error().code != Code::kNotFound) return Failure(std::move(cgroup).error());
    if (cgroup) {
      const int64_t now = base::NowUnixNanos();
      stats.cpu = Cpu(*cgroup, now, CpuRate(row.id, now, cgroup->cpu_usage_nanos));
      stats.memory = Memory(*cgroup, now);
      stats.swap = cri::SwapUsage{.timestamp = now};
      stats.swap->swap_usage_bytes = cri::UInt64Value{.value = cgroup->swap_usage_bytes};
    }
  }
  auto usage = snapshots_->Usage(row.id);
  if (usage) {
    auto& layer = stats.writable_layer.emplace();
    layer.timestamp = usage->timestamp_nanos;
    layer.fs_id = cri::FilesystemIdentifier{.mountpoint = images_->state_dir()};
    layer.used_bytes = cri::UInt64Value{.value = static_cast<uint64_t>(usage->bytes)};
    layer.inodes_used = cri::UInt64Value{.value = static_cast<uint64_t>(usage->inodes)};
  }
  return stats;
}

Result<cri::ContainerStatsResponse> RuntimeService::ContainerStats(const cri::ContainerStatsRequest& request) {
  ASSIGN_OR_RETURN(const ContainerRow row, FindContainer(request.container_id));
  ASSIGN_OR_RETURN(const SandboxRow sandbox, registry_->Sandbox(row.sandbox_id));
  ASSIGN_OR_RETURN(cri::ContainerStats stats, StatsOf(row, sandbox));
  return cri::ContainerStatsResponse{.stats = std::move(stats)};
}

Result<cri::ListContainerStatsResponse> RuntimeService::ListContainerStats(
    const cri::ListContainerStatsRequest& request) {
  cri::ListContainerStatsResponse response;
  for (const ContainerRow& row : registry_->Containers()) {
    if (row.step != ContainerStep::kRunning || !Matches(row, request.filter)) continue;
    auto sandbox = registry_->Sandbox(row.sandbox_id);
    if (!sandbox) continue;  // removed between the two looks
    ASSIGN_OR_RETURN(cri::ContainerStats stats, StatsOf(row, *sandbox));
    response.stats.push_back(std::move(stats));
  }
  return response;
}

Result<void> RuntimeService::StreamContainerStats(const cri::StreamContainerStatsRequest& request,
                                                  const cri::Sink<cri::StreamContainerStatsResponse>& sink) {
  ASSIGN_OR_RETURN(const cri::ListContainerStatsResponse all, ListContainerStats({.filter = request.filter}));
  SendInBatches(all.stats, &cri::StreamContainerStatsResponse::container_stats, sink);
  return {};
}

Result<cri::PodSandboxStats> RuntimeService::StatsOf(const SandboxRow& row) {
  cri::PodSandboxStats stats;
  auto& attributes = stats.attributes.emplace();
  attributes.id = row.id;
  attributes.metadata = row.config.metadata;
  attributes.labels = row.config.labels;
  attributes.annotations = row.config.annotations;
  auto& linux_stats = stats.linux.emplace();
  const int64_t now = base::NowUnixNanos();
  // A pod that shares its parent cgroup with others is judged by its pause container alone.
  const std::string cgroup =
      row.cgroup_parent == options_.default_cgroup_parent ? HandleOf(row).Cgroup() : row.cgroup_parent;
  if (auto usage = cgroups_.Stats(cgroup)) {
    linux_stats.cpu = Cpu(*usage, now, CpuRate(row.id, now, usage->cpu_usage_nanos));
    linux_stats.memory = Memory(*usage, now);
    linux_stats.process = cri::ProcessUsage{.timestamp = now, .process_count = cri::UInt64Value{.value = usage->pids}};
  } else if (usage.error().code != Code::kNotFound) {
    return Failure(std::move(usage).error());
  }
  if (row.pid != 0 && !row.netns_path.empty()) linux_stats.network = ReadNetworkUsage(row.pid, now);
  for (const ContainerRow& container : registry_->ContainersOf(row.id)) {
    if (container.step != ContainerStep::kRunning) continue;
    ASSIGN_OR_RETURN(cri::ContainerStats one, StatsOf(container, row));
    linux_stats.containers.push_back(std::move(one));
  }
  return stats;
}

Result<cri::PodSandboxStatsResponse> RuntimeService::PodSandboxStats(const cri::PodSandboxStatsRequest& request) {
  ASSIGN_OR_RETURN(const SandboxRow row, FindSandbox(request.pod_sandbox_id));
  ASSIGN_OR_RETURN(cri::PodSandboxStats stats, StatsOf(row));
  return cri::PodSandboxStatsResponse{.stats = std::move(stats)};
}

Result<cri::ListPodSandboxStatsResponse> RuntimeService::ListPodSandboxStats(
    const cri::ListPodSandboxStatsRequest& request) {
  cri::ListPodSandboxStatsResponse response;
  for (const SandboxRow& row : registry_->Sandboxes()) {
    if (row.step != SandboxStep::kReady || !Matches(row, request.filter)) continue;
    ASSIGN_OR_RETURN(cri::PodSandboxStats stats, StatsOf(row));
    response.stats.push_back(std::move(stats));
  }
  return response;
}

Result<void> RuntimeService::StreamPodSandboxStats(const cri::StreamPodSandboxStatsRequest& request,
                                                   const cri::Sink<cri::StreamPodSandboxStatsResponse>& sink) {
  ASSIGN_OR_RETURN(const cri::ListPodSandboxStatsResponse all, ListPodSandboxStats({.filter = request.filter}));
  SendInBatches(all.stats, &cri::StreamPodSandboxStatsResponse::pod_sandbox_stats, sink);
  return {};
}

}  // namespace portcullis::runtime
