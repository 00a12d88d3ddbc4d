#include "runtime/container/slice_properties.h"

#include <algorithm>

namespace portcullis::runtime {
namespace {

constexpr uint64_t kMicrosPerSecond = 1'000'000;
constexpr uint64_t kQuotaStep = 10'000;
constexpr uint64_t kDefaultPeriod = 100'000;

uint64_t NumberOrMax(int64_t value) { return value < 0 ? host::kNoLimit : static_cast<uint64_t>(value); }

uint64_t QuotaPerSecond(int64_t quota, uint64_t period) {
  if (quota < 0 || period == 0) return host::kNoLimit;
  const auto exact = static_cast<unsigned __int128>(quota) * kMicrosPerSecond / period;
  const auto stepped = (exact + kQuotaStep - 1) / kQuotaStep * kQuotaStep;
  return stepped >= host::kNoLimit ? host::kNoLimit : static_cast<uint64_t>(stepped);
}

}  // namespace

host::UnitProperties SliceProperties(const Cgroups::Limits& limits, CgroupLayout layout) {
  const bool unified = layout == CgroupLayout::kUnified;
  host::UnitProperties out;
  if (limits.cpu_shares && unified) out.push_back({"CPUWeight", WeightOfShares(*limits.cpu_shares)});
  if (limits.cpu_shares && !unified) {
    out.push_back({"CPUShares", std::clamp<uint64_t>(*limits.cpu_shares, 2, 262144)});
  }
  if (limits.cpu_quota_micros) {
    const uint64_t period = limits.cpu_period_micros.value_or(kDefaultPeriod);
    if (limits.cpu_period_micros) out.push_back({"CPUQuotaPeriodUSec", period});
    out.push_back({"CPUQuotaPerSecUSec", QuotaPerSecond(*limits.cpu_quota_micros, period)});
  }
  if (limits.memory_bytes) out.push_back({unified ? "MemoryMax" : "MemoryLimit", NumberOrMax(*limits.memory_bytes)});
  if (limits.pids) out.push_back({"TasksMax", NumberOrMax(*limits.pids)});
  return out;
}

}  // namespace portcullis::runtime
