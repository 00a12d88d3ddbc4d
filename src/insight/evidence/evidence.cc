#include "insight/evidence/evidence.h"

#include <linux/seccomp.h>

#include <algorithm>
#include <array>

#include "base/named.h"

namespace portcullis::insight {
namespace {

using base::Named;
using base::NameIn;
using base::ValueIn;

constexpr std::array<Named<Phase>, 6> kPhases = {{
    {"unknown", Phase::kUnknown},
    {"runtimeStart", Phase::kRuntimeStart},
    {"init", Phase::kInit},
    {"serving", Phase::kServing},
    {"exec", Phase::kExec},
    {"shutdown", Phase::kShutdown},
}};

constexpr std::array<Named<CallResult>, 9> kResults = {{
    {"unknown", CallResult::kUnknown},
    {"allowed", CallResult::kAllowed},
    {"logged", CallResult::kLogged},
    {"errno", CallResult::kErrno},
    {"trap", CallResult::kTrap},
    {"trace", CallResult::kTrace},
    {"notify", CallResult::kNotify},
    {"killThread", CallResult::kKillThread},
    {"killProcess", CallResult::kKillProcess},
}};

constexpr std::pair<uint32_t, CallResult> kResultsOfCodes[] = {
    {SECCOMP_RET_KILL_PROCESS, CallResult::kKillProcess},
    {SECCOMP_RET_KILL_THREAD, CallResult::kKillThread},
    {SECCOMP_RET_TRAP, CallResult::kTrap},
    {SECCOMP_RET_ERRNO, CallResult::kErrno},
    {SECCOMP_RET_USER_NOTIF, CallResult::kNotify},
    {SECCOMP_RET_TRACE, CallResult::kTrace},
    {SECCOMP_RET_LOG, CallResult::kLogged},
    {SECCOMP_RET_ALLOW, CallResult::kAllowed},
};

}  // namespace

std::string_view NameOf(Phase phase) { return NameIn(kPhases, phase); }
std::string_view NameOf(CallResult result) { return NameIn(kResults, result); }
std::optional<Phase> PhaseOf(std::string_view name) { return ValueIn(kPhases, name); }
std::optional<CallResult> ResultOf(std::string_view name) { return ValueIn(kResults, name); }

CallResult ResultOfCode(uint32_t code) {
  for (const auto& [action, result] : kResultsOfCodes) {
    if ((code & SECCOMP_RET_ACTION_FULL) == action) return result;
  }
  return CallResult::kUnknown;
}

void CallFacts::Merge(const CallFacts& other) {
  count += other.count;
  if (other.first != 0 && (first == 0 || other.first < first)) first = other.first;
  last = std::max(last, other.last);
  if (address == 0 || (location.empty() && !other.location.empty())) {
    address = other.address;
    location = other.location;
    symbol = other.symbol;
  }
}

void Completeness::AddLoss(Loss loss) {
  // "Some" stays beside a number.
  const auto same = std::ranges::find_if(losses, [&loss](const Loss& known) {
    return known.where == loss.where && known.why == loss.why && (known.count == 0) == (loss.count == 0);
  });
  if (same != losses.end()) {
    same->count += loss.count;
  } else {
    losses.push_back(std::move(loss));
  }
}

size_t Evidence::AddWorkload(const Workload& workload) {
  if (const auto found = index_.find(workload); found != index_.end()) return found->second;
  if (workloads_.size() + 1 >= kMaxWorkloads) {
    if (workloads_.size() < kMaxWorkloads) workloads_.push_back({.command = "(others)"});
    return workloads_.size() - 1;
  }
  workloads_.push_back(workload);
  index_.emplace(workload, workloads_.size() - 1);
  return workloads_.size() - 1;
}

void Evidence::Describe(size_t index, const Workload& workload) {
  Workload& known = workloads_.at(index);
  if (const auto found = index_.find(known); found != index_.end() && found->second == index) index_.erase(found);
  known = workload;
  index_.emplace(workload, index);
}

void Evidence::Add(Call call, const CallFacts& facts) {
  if (const auto found = calls_.find(call); found != calls_.end()) return found->second.Merge(facts);
  if (calls_.size() < max_calls_) {
    calls_.emplace(std::move(call), facts);
    return;
  }
  completeness.AddLoss({"evidence", facts.count, fmt::format("more than {} distinct calls", max_calls_)});
}

CallFacts Evidence::Take(const Call& call, uint64_t count) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return {};
  CallFacts taken = found->second;
  taken.count = std::min(count, taken.count);
  found->second.count -= taken.count;
  if (found->second.count == 0) calls_.erase(found);
  return taken;
}

void Evidence::Merge(const Evidence& other) {
  std::vector<size_t> mine;
  mine.reserve(other.workloads_.size());
  for (const Workload& workload : other.workloads_) mine.push_back(AddWorkload(workload));
  for (const auto& [call, facts] : other.calls_) {
    Call moved = call;
    moved.workload = mine.at(call.workload);
    Add(std::move(moved), facts);
  }
  for (const Loss& loss : other.completeness.losses) completeness.AddLoss(loss);
  completeness.unseen.insert(other.completeness.unseen.begin(), other.completeness.unseen.end());
  completeness.cut_off = completeness.cut_off || other.completeness.cut_off;
  if (source.empty()) {
    source = other.source;
  } else if (source != other.source) {
    source = "several";
  }
}

bool Evidence::IsComplete() const { return completeness.losses.empty() && !completeness.cut_off; }

}  // namespace portcullis::insight
