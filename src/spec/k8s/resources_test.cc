#include "spec/k8s/resources.h"

#include <gtest/gtest.h>

namespace portcullis::k8s {
namespace {

ResourceList List(const char* cpu, const char* memory) {
  ResourceList list;
  if (cpu != nullptr) list["cpu"] = *Quantity::Parse(cpu);
  if (memory != nullptr) list["memory"] = *Quantity::Parse(memory);
  return list;
}

Container With(ResourceList requests, ResourceList limits) {
  Container container;
  container.resources = {.limits = std::move(limits), .requests = std::move(requests)};
  return container;
}

Pod PodOf(std::vector<Container> containers, std::vector<Container> init = {}) {
  Pod pod;
  pod.spec.containers = std::move(containers);
  pod.spec.init_containers = std::move(init);
  return pod;
}

const ResourceList kNothing;

TEST(Qos, Classes) {
  const Container full = With(List("1", "1Gi"), List("1", "1Gi"));
  EXPECT_EQ(PodQos(PodOf({With({}, {})}).spec), QosClass::kBestEffort);
  EXPECT_EQ(PodQos(PodOf({full}).spec), QosClass::kGuaranteed);
  EXPECT_EQ(PodQos(PodOf({With(List("1000m", "1024Mi"), List("1", "1Gi"))}).spec), QosClass::kGuaranteed);
  EXPECT_EQ(PodQos(PodOf({full, With({}, {})}).spec), QosClass::kBurstable);
  EXPECT_EQ(PodQos(PodOf({full}, {With({}, {})}).spec), QosClass::kBurstable);
  EXPECT_EQ(PodQos(PodOf({With(List("1", nullptr), List("1", nullptr))}).spec), QosClass::kBurstable);
  EXPECT_EQ(PodQos(PodOf({With(List("500m", "1Gi"), List("1", "1Gi"))}).spec), QosClass::kBurstable);
  EXPECT_EQ(PodQos(PodOf({With(List("0", "0"), kNothing)}).spec), QosClass::kBestEffort);
}

TEST(Cpu, SharesQuotaAndWeight) {
  EXPECT_EQ(MilliCpuToShares(0), 2);
  EXPECT_EQ(MilliCpuToShares(1), 2);
  EXPECT_EQ(MilliCpuToShares(100), 102);
  EXPECT_EQ(MilliCpuToShares(1000), 1024);
  EXPECT_EQ(MilliCpuToShares(1000000), 262144);
  EXPECT_EQ(MilliCpuToShares(INT64_MAX), 262144);
  EXPECT_EQ(MilliCpuToQuota(0), 0);
  EXPECT_EQ(MilliCpuToQuota(1), 1000);
  EXPECT_EQ(MilliCpuToQuota(250), 25000);
  EXPECT_EQ(MilliCpuToQuota(1500), 150000);
  EXPECT_EQ(MilliCpuToQuota(INT64_MAX), INT64_MAX);
  EXPECT_EQ(SharesToWeight(2), 1);
  EXPECT_EQ(SharesToWeight(1024), 39);
  EXPECT_EQ(SharesToWeight(262144), 10000);
}

TEST(ContainerResources, LimitsAndOomScore) {
  constexpr int64_t kGi = 1 << 30;
  const Container burstable = With(List("250m", "1Gi"), List("500m", "2Gi"));
  const ContainerResources resources = ResourcesOf(PodOf({burstable}), burstable, 8 * kGi);
  EXPECT_EQ(resources.cpu_shares, 256);
  EXPECT_EQ(resources.cpu_quota, 50000);
  EXPECT_EQ(resources.memory_limit, 2 * kGi);
  EXPECT_EQ(resources.oom_score_adj, 875);
  EXPECT_EQ(ResourcesOf(PodOf({burstable}), burstable, 8 * kGi, false).cpu_quota, 0);

  const Container tiny = With(List("1m", nullptr), {});
  EXPECT_EQ(ResourcesOf(PodOf({tiny}), tiny, kGi).oom_score_adj, 999);
  const Container whole = With(List(nullptr, "64Gi"), {});
  EXPECT_EQ(ResourcesOf(PodOf({whole}), whole, kGi).oom_score_adj, 3);
  const Container full = With(List("1", "1Gi"), List("1", "1Gi"));
  EXPECT_EQ(ResourcesOf(PodOf({full}), full, 8 * kGi).oom_score_adj, -997);
  const Container none = With({}, {});
  EXPECT_EQ(ResourcesOf(PodOf({none}), none, 8 * kGi).oom_score_adj, 1000);
  Pod critical = PodOf({none});
  critical.spec.priority_class_name = "system-node-critical";
  EXPECT_EQ(ResourcesOf(critical, none, 8 * kGi).oom_score_adj, -997);
}

TEST(PodResources, SumOrLargestInit) {
  const Container small = With(List("100m", "64Mi"), List("200m", "128Mi"));
  const PodResources sum = ResourcesOfPod(PodOf({small, small}));
  EXPECT_EQ(sum.cpu_shares, 204);
  EXPECT_EQ(sum.cpu_quota, 40000);
  EXPECT_EQ(sum.memory_limit, 256 << 20);
  const PodResources with_init = ResourcesOfPod(PodOf({small}, {With(List("1", "1Gi"), List("1", "1Gi"))}));
  EXPECT_EQ(with_init.cpu_shares, 1024);
  EXPECT_EQ(with_init.cpu_quota, 100000);
  const PodResources unlimited = ResourcesOfPod(PodOf({small, With({}, {})}));
  EXPECT_EQ(unlimited.cpu_quota, 0);
  EXPECT_EQ(unlimited.memory_limit, 0);
}

TEST(PodCgroupParent, BothDrivers) {
  const struct {
    CgroupDriver driver;
    const char* root;
    QosClass qos;
    const char* expected;
  } cases[] = {
      {CgroupDriver::kCgroupfs, "/", QosClass::kGuaranteed, "/kubepods/poda-1"},
      {CgroupDriver::kCgroupfs, "", QosClass::kBurstable, "/kubepods/burstable/poda-1"},
      {CgroupDriver::kCgroupfs, "/test/", QosClass::kBestEffort, "/test/kubepods/besteffort/poda-1"},
      {CgroupDriver::kSystemd, "", QosClass::kGuaranteed, "/kubepods.slice/kubepods-poda_1.slice"},
      {CgroupDriver::kSystemd, "/", QosClass::kBurstable,
       "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poda_1.slice"},
      {CgroupDriver::kSystemd, "test.slice", QosClass::kBestEffort,
       "/test.slice/test-kubepods.slice/test-kubepods-besteffort.slice/test-kubepods-besteffort-poda_1.slice"},
      {CgroupDriver::kSystemd, "/a/b-c", QosClass::kGuaranteed,
       "/a.slice/a-b_c.slice/a-b_c-kubepods.slice/a-b_c-kubepods-poda_1.slice"},
      {CgroupDriver::kSystemd, "/a.slice/a-b.slice", QosClass::kGuaranteed,
       "/a.slice/a-b.slice/a-b-kubepods.slice/a-b-kubepods-poda_1.slice"},
  };
  for (const auto& c : cases) EXPECT_EQ(PodCgroupParent(c.driver, c.root, c.qos, "a-1"), c.expected);
}

TEST(QosCgroup, BothDrivers) {
  EXPECT_EQ(QosCgroup(CgroupDriver::kCgroupfs, "/", QosClass::kGuaranteed), "/kubepods");
  EXPECT_EQ(QosCgroup(CgroupDriver::kCgroupfs, "/x", QosClass::kBurstable), "/x/kubepods/burstable");
  EXPECT_EQ(QosCgroup(CgroupDriver::kSystemd, "/", QosClass::kBestEffort), "/kubepods.slice/kubepods-besteffort.slice");
}

}  // namespace
}  // namespace portcullis::k8s
