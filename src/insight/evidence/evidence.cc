#include "insight/evidence/evidence.h"

#include <algorithm>
#include <array>

namespace portcullis::insight {
namespace {

template <class T>
using Named = std::pair<std::string_view, T>;

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

template <class Table, class T>
std::string_view NameIn(const Table& table, T value) {
  return std::ranges::find(table, value, &Named<T>::second)->first;
}

template <class T, size_t N>
std::optional<T> ValueIn(const std::array<Named<T>, N>& table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &Named<T>::first);
  return found == table.end() ? std::nullopt : std::optional<T>(found->second);
}

}  // namespace

std::string_view NameOf(Phase phase) { return NameIn(kPhases, phase); }
std::string_view NameOf(CallResult result) { return NameIn(kResults, result); }
std::optional<Phase> PhaseOf(std::string_view name) { return ValueIn(kPhases, name); }
std::optional<CallResult> ResultOf(std::string_view name) { return ValueIn(kResults, name); }

CallResult ResultOfCode(uint32_t code) {
  switch (code & 0xffff0000U) {  // SECCOMP_RET_ACTION_FULL
    case 0x80000000U:
      return CallResult::kKillProcess;
    case 0x00000000U:
      return CallResult::kKillThread;
    case 0x00030000U:
      return CallResult::kTrap;
    case 0x00050000U:
      return CallResult::kErrno;
    case 0x7fc00000U:
      return CallResult::kNotify;
    case 0x7ff00000U:
      return CallResult::kTrace;
    case 0x7ffc0000U:
      return CallResult::kLogged;
    case 0x7fff0000U:
      return CallResult::kAllowed;
    default:
      return CallResult::kUnknown;
  }
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
