#include "insight/recorder/kernel_counts.h"

#include <algorithm>

#include "insight/recorder/call_table.h"

namespace portcullis::insight {
namespace {

static_assert(static_cast<int>(Phase::kRuntimeStart) == REC_RUNTIME_START);
static_assert(static_cast<int>(Phase::kInit) == REC_INIT);
static_assert(static_cast<int>(Phase::kServing) == REC_SERVING);
static_assert(static_cast<int>(Phase::kExec) == REC_EXEC);
static_assert(static_cast<int>(Phase::kShutdown) == REC_SHUTDOWN);
static_assert(static_cast<int>(CallResult::kAllowed) == REC_ALLOWED);
static_assert(static_cast<int>(CallResult::kLogged) == REC_LOGGED);
static_assert(static_cast<int>(CallResult::kErrno) == REC_ERRNO);
static_assert(static_cast<int>(CallResult::kTrap) == REC_TRAP);
static_assert(static_cast<int>(CallResult::kTrace) == REC_TRACE);
static_assert(static_cast<int>(CallResult::kNotify) == REC_NOTIFY);
static_assert(static_cast<int>(CallResult::kKillThread) == REC_KILL_THREAD);
static_assert(static_cast<int>(CallResult::kKillProcess) == REC_KILL_PROCESS);

int64_t UnixNanos(uint64_t monotonic, int64_t offset) {
  return monotonic == 0 ? 0 : static_cast<int64_t>(monotonic) + offset;
}

void AddLoss(Evidence& evidence, uint64_t count, std::string why) {
  if (count > 0) evidence.completeness.losses.push_back({"recorder", count, std::move(why)});
}

}  // namespace

std::string PathOf(const rec_file& file) {
  const size_t length = std::min<size_t>(file.length, sizeof(file.path));
  std::string_view rest(file.path, length);
  if (file.detached != 0) return std::string(rest.substr(0, rest.find('\0')));
  std::vector<std::string_view> components;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\0'), rest.size());
    components.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  std::string path = file.truncated != 0 ? "..." : "";
  for (auto component = components.rbegin(); component != components.rend(); ++component) {
    path += '/';
    path += *component;
  }
  return path;
}

rec_value SumOf(std::span<const rec_value> parts) {
  rec_value sum = {};
  for (const rec_value& part : parts) {
    sum.count += part.count;
    if (part.first != 0 && (sum.first == 0 || part.first < sum.first)) sum.first = part.first;
    sum.last = std::max(sum.last, part.last);
    if (sum.ip == 0 || (sum.module == 0 && part.module != 0)) {
      sum.ip = part.ip;
      sum.module = part.module;
      sum.module_offset = part.module_offset;
    }
  }
  return sum;
}

Evidence ToEvidence(const KernelCounts& counts, std::span<const Workload> workloads, const FindSymbol& find_symbol) {
  Evidence evidence;
  evidence.source = "ebpf";
  std::vector<size_t> index;
  for (const Workload& workload : workloads) index.push_back(evidence.AddWorkload(workload));
  const uint32_t native_arch = syscalls::InfoOf(counts.native).audit_arch;
  const auto compat = CompatOf(counts.native);
  const uint32_t compat_arch = compat ? syscalls::InfoOf(*compat).audit_arch : 0;
  for (const auto& [key, value] : counts.calls) {
    if (value.count <= 0 || key.workload == 0 || key.workload > index.size()) continue;  // all of them failed
    Call call;
    call.workload = index[key.workload - 1];
    if (const auto file = counts.files.find(key.executable); file != counts.files.end()) {
      call.executable = file->second.path;
      call.comm = file->second.comm;
    }
    call.phase = static_cast<Phase>(key.phase);
    call.audit_arch = key.abi == 0 ? native_arch : compat_arch;
    call.number = key.number;
    size_t used = 0;
    for (int i = 0; i < 6 && used < REC_MAX_ARGS; ++i) {
      if ((key.args & 1U << i) != 0) call.arguments.push_back({i, key.arg[used++]});
    }
    call.result = static_cast<CallResult>(key.result);
    call.error = key.error;
    CallFacts facts{.count = static_cast<uint64_t>(value.count),
                    .first = UnixNanos(value.first, counts.monotonic_to_unix_nanos),
                    .last = UnixNanos(value.last, counts.monotonic_to_unix_nanos),
                    .address = value.ip};
    if (const auto module = counts.files.find(value.module); module != counts.files.end()) {
      facts.location = fmt::format("{}+0x{:x}", module->second.path, value.module_offset);
      if (find_symbol) facts.symbol = find_symbol(key.workload - 1, module->second.path, value.module_offset);
    }
    evidence.Add(std::move(call), facts);
  }
  AddLoss(evidence, counts.losses.calls, "more distinct calls than the kernel map holds (--max-calls)");
  AddLoss(evidence, counts.losses.tasks, "no memory for the state of a task: its calls were not seen");
  AddLoss(evidence, counts.missed_runs, "events that the kernel did not run the program for");
  AddLoss(evidence, counts.dropped_workloads,
          fmt::format("containers beyond the first {}", static_cast<int>(REC_MAX_WORKLOADS)));
  if (counts.losses.files > 0) {
    evidence.completeness.unseen.insert(
        fmt::format("the executable of some calls: {} files beyond those the kernel map holds", counts.losses.files));
  }
  return evidence;
}

}  // namespace portcullis::insight
