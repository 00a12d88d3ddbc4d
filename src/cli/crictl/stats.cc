// stats and statsp.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/try.h"
#include "cli/crictl/print.h"
#include "cli/crictl/select.h"
#include "cli/crictl/verbs.h"
#include "cli/output/human.h"
#include "cli/output/table.h"
#include "cri/json.h"

namespace portcullis::cli {
namespace {

constexpr char kClearScreen[] = "\033[2J\033[H";

uint64_t ValueOf(const std::optional<cri::UInt64Value>& value) { return value ? value->value : 0; }

std::string Size(uint64_t bytes) { return HumanSize(static_cast<double>(bytes)); }

struct CpuSample {
  int64_t timestamp = 0;
  uint64_t nanoseconds = 0;
};
using CpuSamples = std::map<std::string, CpuSample>;

CpuSample SampleOf(const std::optional<cri::CpuUsage>& cpu) {
  if (!cpu) return {};
  return {cpu->timestamp, ValueOf(cpu->usage_core_nano_seconds)};
}

// Share of one core between two samples; 0 when the runtime has not taken a new one in between.
std::string CpuPercent(const CpuSamples& before, const std::string& id, const CpuSample& now) {
  const auto old = before.find(id);
  double percent = 0;
  if (old != before.end() && now.timestamp > old->second.timestamp && now.nanoseconds >= old->second.nanoseconds) {
    percent = static_cast<double>(now.nanoseconds - old->second.nanoseconds) /
              static_cast<double>(now.timestamp - old->second.timestamp) * 100.0;
  }
  return fmt::format("{:.2f}", percent);
}

Result<std::vector<cri::ContainerStats>> ReadContainers(Session& session,
                                                        const cri::ListContainerStatsRequest& request) {
  auto list = session.runtime.ListContainerStats(request);
  if (!list) return Wrap(std::move(list).error(), "list container stats");
  std::vector<cri::ContainerStats> stats = std::move(list->stats);
  std::erase_if(stats, [](const cri::ContainerStats& item) { return !item.attributes; });
  std::sort(stats.begin(), stats.end(), [](const cri::ContainerStats& a, const cri::ContainerStats& b) {
    return a.attributes->id < b.attributes->id;
  });
  return stats;
}

Result<std::vector<cri::PodSandboxStats>> ReadPods(Session& session, const cri::ListPodSandboxStatsRequest& request,
                                                   const NamePattern& name) {
  auto list = session.runtime.ListPodSandboxStats(request);
  if (!list) return Wrap(std::move(list).error(), "list pod sandbox stats");
  std::vector<cri::PodSandboxStats> stats = std::move(list->stats);
  std::erase_if(stats, [&](const cri::PodSandboxStats& item) {
    return !item.attributes || !name.Matches(item.attributes->metadata ? item.attributes->metadata->name : "");
  });
  std::sort(stats.begin(), stats.end(), [](const cri::PodSandboxStats& a, const cri::PodSandboxStats& b) {
    return a.attributes->id < b.attributes->id;
  });
  return stats;
}

std::string ContainerTable(const std::vector<cri::ContainerStats>& stats, const CpuSamples& before, bool all) {
  Table table({"CONTAINER", "NAME", "CPU %", "MEM", "DISK", "INODES", "SWAP"});
  for (const cri::ContainerStats& item : stats) {
    const CpuSample cpu = SampleOf(item.cpu);
    const uint64_t memory = item.memory ? ValueOf(item.memory->working_set_bytes) : 0;
    if (!all && cpu.nanoseconds == 0 && memory == 0) continue;  // not running
    const cri::FilesystemUsage layer = item.writable_layer.value_or(cri::FilesystemUsage{});
    const std::string& id = item.attributes->id;
    table.AddRow({TruncateId(id), item.attributes->metadata ? item.attributes->metadata->name : "",
                  CpuPercent(before, id, cpu), Size(memory), Size(ValueOf(layer.used_bytes)),
                  std::to_string(ValueOf(layer.inodes_used)),
                  Size(item.swap ? ValueOf(item.swap->swap_usage_bytes) : 0)});
  }
  return table.Text();
}

std::string PodTable(const std::vector<cri::PodSandboxStats>& stats, const CpuSamples& before) {
  Table table({"POD", "POD ID", "CPU %", "MEM"});
  for (const cri::PodSandboxStats& item : stats) {
    const cri::LinuxPodSandboxStats usage = item.linux.value_or(cri::LinuxPodSandboxStats{});
    const std::string& id = item.attributes->id;
    const CpuSample cpu = SampleOf(usage.cpu);
    const uint64_t memory = usage.memory ? ValueOf(usage.memory->working_set_bytes) : 0;
    if (cpu.nanoseconds == 0 && memory == 0) continue;  // not running
    table.AddRow({item.attributes->metadata ? item.attributes->metadata->name : "", TruncateId(id),
                  CpuPercent(before, id, cpu), Size(memory)});
  }
  return table.Text();
}

CpuSamples SamplesOf(const std::vector<cri::ContainerStats>& stats) {
  CpuSamples samples;
  for (const auto& item : stats) samples[item.attributes->id] = SampleOf(item.cpu);
  return samples;
}

CpuSamples SamplesOf(const std::vector<cri::PodSandboxStats>& stats) {
  CpuSamples samples;
  for (const auto& item : stats) samples[item.attributes->id] = SampleOf(item.linux ? item.linux->cpu : std::nullopt);
  return samples;
}

// Prints tables of `read`, each from two samples `options.seconds` apart: one, or with --watch until interrupted.
template <class Read, class Render>
Result<void> PrintTables(Session& session, const StatsOptions& options, const Read& read, const Render& render) {
  ASSIGN_OR_RETURN(auto stats, read());
  do {
    const CpuSamples before = SamplesOf(stats);
    if (session.pause && !session.pause(std::chrono::seconds(options.seconds))) return {};
    ASSIGN_OR_RETURN(stats, read());
    session.out << (options.watch ? kClearScreen : "") << render(stats, before) << std::flush;
  } while (options.watch && session.out.good());
  return {};
}

}  // namespace

Result<void> ShowContainerStats(Session& session, const StatsOptions& options) {
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(options.output, Format::kTable));
  cri::ListContainerStatsRequest request;
  cri::ContainerStatsFilter& filter = request.filter.emplace();
  if (!options.id.empty()) {
    ASSIGN_OR_RETURN(filter.id, ResolveContainer(session, options.id));
  }
  if (!options.pod.empty()) {
    ASSIGN_OR_RETURN(filter.pod_sandbox_id, ResolvePod(session, options.pod));
  }
  ASSIGN_OR_RETURN(filter.label_selector, ParseLabels(options.labels));
  const auto read = [&] { return ReadContainers(session, request); };
  if (format != Format::kTable) {
    ASSIGN_OR_RETURN(auto stats, read());
    const cri::ListContainerStatsResponse list{.stats = std::move(stats)};
    return PrintDocument(session, cri::ToProtoJson(list), format, options.output);
  }
  return PrintTables(session, options, read, [&](const auto& stats, const CpuSamples& before) {
    return ContainerTable(stats, before, options.all);
  });
}

Result<void> ShowPodStats(Session& session, const StatsOptions& options) {
  ASSIGN_OR_RETURN(const Format format, ChooseFormat(options.output, Format::kTable));
  ASSIGN_OR_RETURN(const NamePattern name, NamePattern::Compile(options.name_pattern));
  cri::ListPodSandboxStatsRequest request;
  cri::PodSandboxStatsFilter& filter = request.filter.emplace();
  if (!options.id.empty()) {
    ASSIGN_OR_RETURN(filter.id, ResolvePod(session, options.id));
  }
  ASSIGN_OR_RETURN(filter.label_selector, ParseLabels(options.labels));
  const auto read = [&] { return ReadPods(session, request, name); };
  if (format != Format::kTable) {
    ASSIGN_OR_RETURN(auto stats, read());
    const cri::ListPodSandboxStatsResponse list{.stats = std::move(stats)};
    return PrintDocument(session, cri::ToProtoJson(list), format, options.output);
  }
  return PrintTables(session, options, read,
                     [&](const auto& stats, const CpuSamples& before) { return PodTable(stats, before); });
}

}  // namespace portcullis::cli
