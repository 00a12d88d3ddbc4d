#include "runtime/container/slice_properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::runtime {
namespace {

using host::kNoLimit;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Property = host::UnitProperty;

TEST(SliceProperties, NothingAskedForNothingSet) {
  EXPECT_THAT(SliceProperties({}, CgroupLayout::kUnified), IsEmpty());
  EXPECT_THAT(SliceProperties({}, CgroupLayout::kV1), IsEmpty());
}

TEST(SliceProperties, NamesOfEachLayout) {
  const Cgroups::Limits all{
      .cpu_shares = 1024, .cpu_quota_micros = 50000, .cpu_period_micros = 100000, .memory_bytes = 1 << 20, .pids = 100};
  EXPECT_THAT(SliceProperties(all, CgroupLayout::kUnified),
              ElementsAre(Property{"CPUWeight", uint64_t{39}}, Property{"CPUQuotaPeriodUSec", uint64_t{100000}},
                          Property{"CPUQuotaPerSecUSec", uint64_t{500000}}, Property{"MemoryMax", uint64_t{1 << 20}},
                          Property{"TasksMax", uint64_t{100}}));
  for (const CgroupLayout layout : {CgroupLayout::kV1, CgroupLayout::kHybrid}) {
    EXPECT_THAT(SliceProperties(all, layout),
                ElementsAre(Property{"CPUShares", uint64_t{1024}}, Property{"CPUQuotaPeriodUSec", uint64_t{100000}},
                            Property{"CPUQuotaPerSecUSec", uint64_t{500000}},
                            Property{"MemoryLimit", uint64_t{1 << 20}}, Property{"TasksMax", uint64_t{100}}));
  }
}

TEST(SliceProperties, Quota) {
  const struct {
    int64_t quota;
    std::optional<uint64_t> period;
    uint64_t per_second;
  } cases[] = {
      {-1, {}, kNoLimit},
      {100000, {}, 1000000},
      {1000, 100000, 10000},
      {1001, 100000, 20000},
      {INT64_MAX, 1000, kNoLimit},
      {5000, 10000, 500000},
      {INT64_MAX, uint64_t{0}, kNoLimit},
  };
  for (const auto& c : cases) {
    const auto all = SliceProperties({.cpu_quota_micros = c.quota, .cpu_period_micros = c.period}, CgroupLayout::kV1);
    EXPECT_EQ(all.back(), (Property{"CPUQuotaPerSecUSec", c.per_second})) << c.quota;
  }
}

TEST(SliceProperties, NoLimit) {
  EXPECT_THAT(SliceProperties({.memory_bytes = -1, .pids = -1}, CgroupLayout::kUnified),
              ElementsAre(Property{"MemoryMax", kNoLimit}, Property{"TasksMax", kNoLimit}));
}

}  // namespace
}  // namespace portcullis::runtime
