#include "insight/evidence/audit_merge.h"

#include <algorithm>

#include "engine/syscalls/syscalls.h"

namespace portcullis::insight {
namespace {

bool IsKill(CallResult result) { return result == CallResult::kKillProcess || result == CallResult::kKillThread; }

// The audit log names a file that is gone as /proc does.
std::string_view WithoutDeleted(std::string_view path) {
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return path;
}

// How well a recorded call fits a record. The phase is that of the reading, a moment later; an executable may have been
// recorded by an abridged path. The name of a thread is its own.
enum class Fit { kSamePhase, kSameProgram, kAny };

bool Fits(const Call& recorded, const Call& record, Fit fit) {
  if (recorded.audit_arch != record.audit_arch || recorded.number != record.number) return false;
  if (fit == Fit::kAny) return true;
  if (WithoutDeleted(recorded.executable) != WithoutDeleted(record.executable)) return false;
  return fit == Fit::kSameProgram || recorded.phase == record.phase;
}

std::string NameOf(const Call& call) {
  const auto arch = syscalls::ArchFromAudit(call.audit_arch, call.number);
  const auto name = arch ? syscalls::NameOf(*arch, call.number) : std::nullopt;
  return name ? std::string(*name) : fmt::format("call {}", call.number);
}

class Merger {
 public:
  explicit Merger(Evidence& recorded) : recorded_(recorded) {}

  void Take(Call record, const CallFacts& facts) {
    const bool is_kill = IsKill(record.result);
    const CallResult recorded_as = is_kill ? CallResult::kTrap : CallResult::kAllowed;
    uint64_t left = facts.count;
    for (const Fit fit : {Fit::kSamePhase, Fit::kSameProgram, Fit::kAny}) {
      const auto found = Find(record, recorded_as, fit);
      const uint64_t there = CountOf(found);
      if (!is_kill && left > 0 && left < there && !AreAlike(found)) {
        recorded_.completeness.unseen.insert(
            fmt::format("{}: {} of {} calls of {} by {}, with which arguments the audit records do not tell",
                        unseen::kOnlyLogged, left, there, NameOf(record), record.executable));
        return;
      }
      for (const Call& call : found) left -= Turn(call, record.result, left);
    }
    if (left == 0 || !is_kill) return;  // a logged call that was not recorded was before the recording
    CallFacts rest = facts;
    rest.count = left;
    recorded_.Add(std::move(record), rest);
    recorded_.completeness.unseen.insert("arguments of calls that killed, which come from the audit records");
  }

 private:
  std::vector<Call> Find(const Call& record, CallResult result, Fit fit) const {
    std::vector<Call> found;
    // Calls are in the order of their workloads.
    auto at = recorded_.calls().lower_bound({.workload = record.workload});
    for (; at != recorded_.calls().end() && at->first.workload == record.workload; ++at) {
      if (at->first.result == result && Fits(at->first, record, fit)) found.push_back(at->first);
    }
    return found;
  }

  uint64_t CountOf(const std::vector<Call>& calls) const {
    uint64_t count = 0;
    for (const Call& call : calls) count += recorded_.calls().at(call).count;
    return count;
  }

  static bool AreAlike(const std::vector<Call>& calls) {
    return std::ranges::all_of(calls, [&](const Call& call) { return call.arguments == calls.front().arguments; });
  }

  uint64_t Turn(Call call, CallResult into, uint64_t count) {
    if (count == 0) return 0;
    const CallFacts facts = recorded_.Take(call, count);
    call.result = into;
    recorded_.Add(std::move(call), facts);
    return facts.count;
  }

  Evidence& recorded_;
};

}  // namespace

void MergeAuditRecords(const Evidence& records, const AuditMerge& what, Evidence& recorded) {
  Merger merger(recorded);
  for (const auto& [record, facts] : records.calls()) {
    const bool wanted = record.result == CallResult::kLogged ? what.logged : what.kills && IsKill(record.result);
    if (!wanted) continue;
    Call moved = record;
    moved.workload = recorded.AddWorkload(records.workloads()[record.workload]);
    merger.Take(std::move(moved), facts);
  }
}

}  // namespace portcullis::insight
