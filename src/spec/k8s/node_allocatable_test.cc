#include "spec/k8s/node_allocatable.h"

#include <gtest/gtest.h>

namespace portcullis::k8s {
namespace {

constexpr NodeResources kCapacity{.cpu_milli = 4000, .memory = int64_t{8} << 30, .pids = 32768};

ResourceList List(const std::map<std::string, std::string>& amounts) {
  ResourceList list;
  for (const auto& [name, text] : amounts) list[name] = *Quantity::Parse(text);
  return list;
}

TEST(NodeAllocatable, IsTheCapacityLessWhatIsReserved) {
  const Reservations reservations{.system = List({{"cpu", "500m"}, {"memory", "1Gi"}}),
                                  .kube = List({{"cpu", "0.5"}, {"memory", "512Mi"}, {"pid", "1k"}})};
  const auto left = Allocatable(kCapacity, reservations);
  ASSERT_TRUE(left) << left.error().message;
  EXPECT_EQ(left->cpu_milli, 3000);
  EXPECT_EQ(left->memory, (int64_t{13} << 30) / 2);
  EXPECT_EQ(left->pids, 31768);
  EXPECT_EQ(PodsLimits(kCapacity, *left, reservations),
            (CgroupLimits{.cpu_shares = 3072, .memory = (int64_t{13} << 30) / 2, .pids = 31768}));
}

TEST(NodeAllocatable, NotEnforcedPodsGetTheWholeMachine) {
  Reservations reservations{.system = List({{"memory", "1Gi"}})};
  reservations.enforced = {"none"};
  const auto left = Allocatable(kCapacity, reservations);
  ASSERT_TRUE(left);
  EXPECT_EQ(PodsLimits(kCapacity, *left, reservations),
            (CgroupLimits{.cpu_shares = 4096, .memory = int64_t{8} << 30, .pids = 32768}));
}

TEST(NodeAllocatable, MoreThanThereIs) {
  const auto left =
      Allocatable(kCapacity, {.system = List({{"cpu", "3"}, {"memory", "9Gi"}}), .kube = List({{"cpu", "1500m"}})});
  ASSERT_FALSE(left);
  EXPECT_EQ(left.error().message,
            "invalid Node Allocatable configuration. Resource \"cpu\" has a reservation of 4500m but capacity of "
            "4000m. Expected capacity >= reservation. Resource \"memory\" has a reservation of 9663676416 but capacity "
            "of 8589934592. Expected capacity >= reservation.");
}

TEST(NodeAllocatable, ReservedCgroups) {
  const ResourceList reserved = List({{"cpu", "250m"}, {"memory", "64Mi"}, {"pid", "100"}});
  EXPECT_EQ(ReservedLimits(reserved, /*compressible=*/false),
            (CgroupLimits{.cpu_shares = 256, .memory = 64 << 20, .pids = 100}));
  EXPECT_EQ(ReservedLimits(reserved, /*compressible=*/true), (CgroupLimits{.cpu_shares = 256}));
  EXPECT_EQ(ReservedLimits({}, false), CgroupLimits{});
}

}  // namespace
}  // namespace portcullis::k8s
