// Metrics of pods and containers under cAdvisor's names, as the kubelet's /metrics/cadvisor shows them (KEP-2371): the
// figures of stats.cc, told one by one.
#include <array>

#include "base/try.h"
#include "runtime/service/batches.h"
#include "runtime/service/runtime_service.h"

namespace portcullis::runtime {
namespace {

using cri::MetricType;

uint64_t ValueOf(const std::optional<cri::UInt64Value>& value) { return value ? value->value : 0; }

// One figure of a container; `read` gives nothing when the statistics lack it.
struct ContainerMetric {
  const char* name;
  const char* help;
  MetricType type;
  std::optional<uint64_t> (*read)(const cri::ContainerStats& stats);
};

template <auto Field>
std::optional<uint64_t> OfMemory(const cri::ContainerStats& stats) {
  return stats.memory ? std::optional(ValueOf((*stats.memory).*Field)) : std::nullopt;
}

std::optional<uint64_t> LayerBytes(const cri::ContainerStats& stats) {
  return stats.writable_layer ? std::optional(ValueOf(stats.writable_layer->used_bytes)) : std::nullopt;
}

std::optional<uint64_t> CpuSeconds(const cri::ContainerStats& stats) {
  constexpr uint64_t kNanosPerSecond = 1'000'000'000;  // CRI's values are whole numbers
  return stats.cpu ? std::optional(ValueOf(stats.cpu->usage_core_nano_seconds) / kNanosPerSecond) : std::nullopt;
}

std::optional<uint64_t> Swap(const cri::ContainerStats& stats) {
  return stats.swap ? std::optional(ValueOf(stats.swap->swap_usage_bytes)) : std::nullopt;
}

constexpr std::array<ContainerMetric, 6> kContainerMetrics = {{
    {"container_cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds.", MetricType::kCounter, CpuSeconds},
    {"container_memory_usage_bytes", "Current memory usage in bytes, with all memory whenever it was accessed.",
     MetricType::kGauge, OfMemory<&cri::MemoryUsage::usage_bytes>},
    {"container_memory_working_set_bytes", "Current working set in bytes.", MetricType::kGauge,
     OfMemory<&cri::MemoryUsage::working_set_bytes>},
    {"container_memory_rss", "Size of RSS in bytes.", MetricType::kGauge, OfMemory<&cri::MemoryUsage::rss_bytes>},
    {"container_memory_swap", "Container swap usage in bytes.", MetricType::kGauge, Swap},
    {"container_fs_usage_bytes", "Number of bytes that the container's writable layer takes.", MetricType::kGauge,
     LayerBytes},
}};

// One figure of one of the pod's network interfaces.
struct NetworkMetric {
  const char* name;
  const char* help;
  std::optional<cri::UInt64Value> cri::NetworkInterfaceUsage::* field;
};

constexpr std::array<NetworkMetric, 4> kNetworkMetrics = {{
    {"container_network_receive_bytes_total", "Cumulative count of bytes received.",
     &cri::NetworkInterfaceUsage::rx_bytes},
    {"container_network_receive_errors_total", "Cumulative count of errors encountered while receiving.",
     &cri::NetworkInterfaceUsage::rx_errors},
    {"container_network_transmit_bytes_total", "Cumulative count of bytes transmitted.",
     &cri::NetworkInterfaceUsage::tx_bytes},
    {"container_network_transmit_errors_total", "Cumulative count of errors encountered while transmitting.",
     &cri::NetworkInterfaceUsage::tx_errors},
}};

const std::vector<std::string> kLabels = {"container", "id", "image", "name", "namespace", "pod"};

// The values of kLabels. cAdvisor's id is the path of the cgroup and its name the id of the container.
std::vector<std::string> Labels(const std::string& container, const std::string& cgroup, const std::string& image,
                                const std::string& name, const cri::PodSandboxMetadata& pod) {
  return {container, cgroup, image, name, pod.namespace_, pod.name};
}

std::vector<cri::Metric> NetworkMetrics(const cri::NetworkUsage& usage, const std::vector<std::string>& labels) {
  std::vector<cri::NetworkInterfaceUsage> interfaces = usage.interfaces;
  if (usage.default_interface) interfaces.insert(interfaces.begin(), *usage.default_interface);
  std::vector<cri::Metric> metrics;
  for (const cri::NetworkInterfaceUsage& interface : interfaces) {
    std::vector<std::string> with_interface = labels;
    with_interface.push_back(interface.name);
    for (const NetworkMetric& metric : kNetworkMetrics) {
      metrics.push_back({.name = metric.name,
                         .timestamp = usage.timestamp,
                         .metric_type = MetricType::kCounter,
                         .label_values = with_interface,
                         .value = cri::UInt64Value{.value = ValueOf(interface.*metric.field)}});
    }
  }
  return metrics;
}

std::vector<cri::Metric> ContainerMetricsOf(const cri::ContainerStats& stats, const std::vector<std::string>& labels) {
  std::vector<cri::Metric> metrics;
  for (const ContainerMetric& metric : kContainerMetrics) {
    const auto value = metric.read(stats);
    if (!value) continue;
    metrics.push_back({.name = metric.name,
                       .timestamp = stats.cpu ? stats.cpu->timestamp : 0,
                       .metric_type = metric.type,
                       .label_values = labels,
                       .value = cri::UInt64Value{.value = *value}});
  }
  return metrics;
}

}  // namespace

Result<cri::ListMetricDescriptorsResponse> RuntimeService::ListMetricDescriptors(
    const cri::ListMetricDescriptorsRequest&) {
  cri::ListMetricDescriptorsResponse response;
  for (const ContainerMetric& metric : kContainerMetrics) {
    response.descriptors.push_back({.name = metric.name, .help = metric.help, .label_keys = kLabels});
  }
  std::vector<std::string> with_interface = kLabels;
  with_interface.emplace_back("interface");
  for (const NetworkMetric& metric : kNetworkMetrics) {
    response.descriptors.push_back({.name = metric.name, .help = metric.help, .label_keys = with_interface});
  }
  return response;
}

Result<cri::ListPodSandboxMetricsResponse> RuntimeService::ListPodSandboxMetrics(
    const cri::ListPodSandboxMetricsRequest&) {
  cri::ListPodSandboxMetricsResponse response;
  for (const SandboxRow& row : registry_->Sandboxes()) {
    if (row.step != SandboxStep::kReady) continue;
    ASSIGN_OR_RETURN(const cri::PodSandboxStats stats, StatsOf(row));
    const cri::PodSandboxMetadata pod = row.config.metadata.value_or(cri::PodSandboxMetadata{});
    cri::PodSandboxMetrics& metrics = response.pod_metrics.emplace_back();
    metrics.pod_sandbox_id = row.id;
    const std::string cgroup = HandleOf(row).Cgroup();
    if (stats.linux->network) {
      metrics.metrics = NetworkMetrics(*stats.linux->network, Labels("", cgroup, options_.sandbox_image, row.id, pod));
    }
    for (const cri::ContainerStats& one : stats.linux->containers) {
      auto container = registry_->Container(one.attributes->id);
      if (!container) continue;  // removed between the two looks
      const std::vector<std::string> labels =
          Labels(container->config.metadata->name, HandleOf(*container, row).Cgroup(), container->image_ref,
                 container->id, pod);
      metrics.container_metrics.push_back({.container_id = container->id, .metrics = ContainerMetricsOf(one, labels)});
    }
  }
  return response;
}

Result<void> RuntimeService::StreamPodSandboxMetrics(const cri::StreamPodSandboxMetricsRequest&,
                                                     const cri::Sink<cri::StreamPodSandboxMetricsResponse>& sink) {
  ASSIGN_OR_RETURN(const cri::ListPodSandboxMetricsResponse all, ListPodSandboxMetrics({}));
  SendInBatches(all.pod_metrics, &cri::StreamPodSandboxMetricsResponse::pod_sandbox_metrics, sink);
  return {};
}

}  // namespace portcullis::runtime
