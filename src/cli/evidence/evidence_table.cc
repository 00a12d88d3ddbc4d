#include "cli/evidence/evidence_table.h"

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "base/strings.h"
#include "cli/output/table.h"
#include "engine/syscalls/constants.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::cli {
namespace {

using insight::Call;
using insight::CallFacts;
using insight::CallResult;

bool WasAllowed(const Call& call) { return call.result == CallResult::kAllowed || call.result == CallResult::kUnknown; }

std::string WorkloadText(const insight::Workload& workload) {
  if (!workload.container.empty() || !workload.pod.empty()) {
    std::string text = workload.pod_namespace.empty() ? "" : workload.pod_namespace + "/";
    return text + workload.pod + (workload.container.empty() ? "" : "/" + workload.container);
  }
  if (!workload.container_id.empty()) return workload.container_id.substr(0, 13);
  return workload.command;
}

// Names come from programs that may mean to deceive the terminal.
std::string Printable(const std::string& text) {
  const bool plain =
      std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
  return plain ? text : base::Quote(text);
}

}  // namespace

std::string ArchText(uint32_t audit_arch, uint32_t number) {
  const auto arch = syscalls::ArchFromAudit(audit_arch, number);
  if (!arch) return fmt::format("{:x}", audit_arch);
  constexpr std::string_view kPrefix = "SCMP_ARCH_";
  return base::ToLower(syscalls::InfoOf(*arch).scmp_name.substr(kPrefix.size()));
}

std::string SyscallText(uint32_t audit_arch, uint32_t number) {
  if (const auto arch = syscalls::ArchFromAudit(audit_arch, number)) {
    if (const auto name = syscalls::NameOf(*arch, number)) return std::string(*name);
  }
  return fmt::format("syscall_{}", number);
}

std::string CallText(const insight::Call& call) {
  const std::string name = SyscallText(call.audit_arch, call.number);
  const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
  return arch ? syscalls::DescribeCall(*arch, name, call.arguments) : name;
}

std::string CompletenessText(const insight::Evidence& evidence) {
  std::string out;
  for (const insight::Loss& loss : evidence.completeness.losses) {
    const std::string count = loss.count == 0 ? "an unknown number" : std::to_string(loss.count);
    out += fmt::format("INCOMPLETE: {} lost ({}: {})\n", count, loss.where, loss.why);
  }
  if (evidence.completeness.cut_off) out += "INCOMPLETE: the trace has no end, its writer was stopped\n";
  if (!evidence.completeness.unseen.empty()) {
    const std::vector<std::string> unseen(evidence.completeness.unseen.begin(), evidence.completeness.unseen.end());
    out += "not visible to this source: " + base::Join(unseen, "; ") + "\n";
  }
  return out;
}

std::string EvidenceTable(const insight::Evidence& evidence, const EvidenceTableOptions& options) {
  std::vector<const std::pair<const Call, CallFacts>*> calls;
  for (const auto& entry : evidence.calls()) {
    if (!options.denied_only || !WasAllowed(entry.first)) calls.push_back(&entry);
  }
  std::ranges::stable_sort(calls, [](const auto* a, const auto* b) { return a->second.count > b->second.count; });
  const bool has_workloads =
      std::ranges::any_of(evidence.workloads(), [](const auto& one) { return !WorkloadText(one).empty(); });
  std::vector<std::string> header{"COUNT", "RESULT", "ARCH", "SYSCALL", "EXECUTABLE", "LAST SEEN"};
  if (has_workloads) header.insert(header.begin(), "WORKLOAD");
  Table table(header);
  size_t rows = 0;
  for (const auto* entry : calls) {
    if (options.max_rows != 0 && rows++ >= options.max_rows) break;
    const auto& [call, facts] = *entry;
    std::vector<std::string> cells{std::to_string(facts.count),
                                   std::string(NameOf(call.result)),
                                   ArchText(call.audit_arch, call.number),
                                   CallText(call),
                                   Printable(call.executable.empty() ? call.comm : call.executable),
                                   facts.last == 0 ? "-" : base::FormatRfc3339(facts.last)};
    if (has_workloads) cells.insert(cells.begin(), Printable(WorkloadText(evidence.workloads().at(call.workload))));
    table.AddRow(std::move(cells));
  }
  std::string out = table.Text();
  if (options.max_rows != 0 && calls.size() > options.max_rows) {
    out += fmt::format("... and {} more\n", calls.size() - options.max_rows);
  }
  return out;
}

}  // namespace portcullis::cli
