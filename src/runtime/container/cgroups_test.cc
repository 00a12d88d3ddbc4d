#include "runtime/container/cgroups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/strings.h"
#include "host/systemd/unit_names.h"

namespace portcullis::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A made-up /sys/fs/cgroup.
class CgroupsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "/cgroup-" + base::RandomHex(4);
    ASSERT_TRUE(base::MakeDirs(root_));
  }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(root_)); }

  void Write(const std::string& file, const std::string& text) {
    const std::string path = root_ + "/" + file;
    ASSERT_TRUE(base::MakeDirs(path.substr(0, path.rfind('/'))));
    ASSERT_TRUE(base::WriteFileAtomic(path, text));
  }
  std::string Read(const std::string& file) { return base::ReadFile(root_ + "/" + file).value_or("absent"); }

  void MakeV1() {
    for (const char* name : {"cpu,cpuacct", "cpuset", "memory", "pids", "systemd"})
      Write(std::string(name) + "/cgroup.procs", "");
    for (const char* link : {"cpu", "cpuacct"}) ASSERT_EQ(::symlink("cpu,cpuacct", (root_ + "/" + link).c_str()), 0);
    Write("cpuset/cpuset.cpus", "0-3\n");
    Write("cpuset/cpuset.mems", "0\n");
  }
  void MakeUnified() {
    Write("cgroup.controllers", "cpu memory pids\n");
    Write("cgroup.subtree_control", "");
  }
  Cgroups Detect() {
    auto cgroups = Cgroups::Detect(root_);
    EXPECT_TRUE(cgroups);
    return *cgroups;
  }

  std::string root_;
};

TEST_F(CgroupsTest, LayoutAndPaths) {
  EXPECT_FALSE(Cgroups::Detect(root_)) << "nothing mounted";
  MakeV1();
  EXPECT_EQ(Detect().layout(), CgroupLayout::kV1);
  EXPECT_EQ(Detect().DirectoryOf("cpuacct", "/a/b"), root_ + "/cpu,cpuacct/a/b");
  EXPECT_EQ(Detect().DirectoryOf("hugetlb", "/a"), "");
  Write("unified/cgroup.controllers", "");
  Write("unified/cgroup.procs", "");
  EXPECT_EQ(Detect().layout(), CgroupLayout::kHybrid);
  EXPECT_EQ(Detect().DirectoryOf("memory", "/a"), root_ + "/memory/a");
  MakeUnified();
  EXPECT_EQ(Detect().layout(), CgroupLayout::kUnified);
  EXPECT_EQ(Detect().DirectoryOf("memory", "/a"), root_ + "/a");
}

TEST_F(CgroupsTest, IdsAreOfTheirHierarchy) {
  MakeV1();
  ASSERT_TRUE(base::MakeDirs(root_ + "/pids/a"));
  EXPECT_NE(Detect().V1Id("pids", "/a"), 0u);
  EXPECT_EQ(Detect().V1Id("memory", "/a"), 0u) << "not there";
  EXPECT_EQ(Detect().V1Id("hugetlb", "/a"), 0u) << "no such controller";
  EXPECT_EQ(Detect().UnifiedId("/a"), 0u);
  Write("unified/cgroup.controllers", "");
  Write("unified/cgroup.procs", "");
  EXPECT_EQ(Detect().UnifiedId("/a"), 0u) << "some runtimes leave the unified hierarchy out";
  ASSERT_TRUE(base::MakeDirs(root_ + "/unified/a"));
  EXPECT_NE(Detect().UnifiedId("/a"), Detect().V1Id("pids", "/a"));
  MakeUnified();
  ASSERT_TRUE(base::MakeDirs(root_ + "/a"));
  EXPECT_NE(Detect().UnifiedId("/a"), 0u);
  EXPECT_EQ(Detect().V1Id("pids", "/a"), 0u);
}

TEST_F(CgroupsTest, CreateAndRemoveInEveryHierarchy) {
  MakeV1();
  const Cgroups cgroups = Detect();
  for (const char* name : {"cpu,cpuacct", "memory", "pids", "systemd"})
    ASSERT_FALSE(base::Exists(root_ + "/" + name + "/pods"));
  ASSERT_TRUE(base::MakeDirs(root_ + "/cpuset/pods/one"));
  ASSERT_TRUE(cgroups.Create("/pods/one"));
  for (const char* name : {"cpu,cpuacct", "cpuset", "memory", "pids", "systemd"})
    EXPECT_TRUE(base::Exists(root_ + "/" + name + "/pods/one")) << name;
  ASSERT_TRUE(cgroups.Create("/pods/one")) << "again";
  ASSERT_TRUE(cgroups.Remove("/pods"));
  for (const char* name : {"cpu,cpuacct", "memory", "pids"})
    EXPECT_FALSE(base::Exists(root_ + "/" + name + "/pods")) << name;
  EXPECT_TRUE(cgroups.Remove("/pods")) << "again";
  ASSERT_TRUE(cgroups.Create("/ours/theirs"));
  EXPECT_EQ(cgroups.RemoveUnused("/ours").error().sys_errno, ENOTEMPTY);
  EXPECT_NE(cgroups.CgroupId("/ours/theirs"), 0u) << "somebody else's";
  EXPECT_TRUE(cgroups.RemoveUnused("/ours/theirs"));
  EXPECT_TRUE(cgroups.RemoveUnused("/ours"));
  EXPECT_TRUE(cgroups.RemoveUnused("/ours")) << "again";
  EXPECT_EQ(cgroups.CgroupId("/ours"), 0u);
}

TEST_F(CgroupsTest, NewCpusetInherits) {
  MakeV1();
  // The kernel makes the files with the folder; here they stand ready and empty.
  for (const char* folder : {"cpuset/pods", "cpuset/pods/one"}) {
    Write(std::string(folder) + "/cpuset.cpus", "\n");
    Write(std::string(folder) + "/cpuset.mems", "");
  }
  ASSERT_TRUE(Detect().Create("/pods/one"));
  EXPECT_THAT(Read("cpuset/pods/one/cpuset.cpus"), ::testing::StartsWith("0-3"));
  EXPECT_THAT(Read("cpuset/pods/one/cpuset.mems"), ::testing::StartsWith("0"));
}

TEST_F(CgroupsTest, UnifiedParentsDelegate) {
  MakeUnified();
  ASSERT_TRUE(Detect().Create("/pods"));
  EXPECT_THAT(Read("cgroup.subtree_control"), ::testing::HasSubstr("+pids"));
}

// What an exec needs: a cgroup below the container's, which holds the container's processes.
TEST_F(CgroupsTest, UnifiedParentsWithProcessesDoNotDelegate) {
  MakeUnified();
  Write("cgroup.procs", "1\n");
  for (const char* folder : {"pods", "pods/one"}) {
    Write(std::string(folder) + "/cgroup.controllers", "cpu memory pids\n");
    Write(std::string(folder) + "/cgroup.subtree_control", "");
    Write(std::string(folder) + "/cgroup.type", "domain\n");
    Write(std::string(folder) + "/cgroup.procs", "");
  }
  Write("pods/one/cgroup.procs", "0\n");  // a process of another pid namespace counts too
  ASSERT_TRUE(Detect().Create("/pods/one/exec"));
  EXPECT_THAT(Read("cgroup.subtree_control"), ::testing::HasSubstr("+pids")) << "the root may";
  EXPECT_THAT(Read("pods/cgroup.subtree_control"), ::testing::HasSubstr("+pids"));
  EXPECT_EQ(Read("pods/one/cgroup.subtree_control"), "");
  EXPECT_TRUE(base::Exists(root_ + "/pods/one/exec"));
}

TEST_F(CgroupsTest, RootsAndOddPathsAreRefused) {
  MakeV1();
  const Cgroups cgroups = Detect();
  for (const char* path : {"", "/", "pods", "/pods/", "/pods/../..", "/..", "//"}) {
    EXPECT_EQ(cgroups.Create(path).error().code, Code::kInvalidArgument) << path;
    EXPECT_EQ(cgroups.KillAll(path).error().code, Code::kInvalidArgument) << path;
    EXPECT_EQ(cgroups.Remove(path).error().code, Code::kInvalidArgument) << path;
    EXPECT_THAT(cgroups.Processes(path), IsEmpty()) << path;
  }
}

TEST_F(CgroupsTest, ProcessesOfAllHierarchiesAndBelow) {
  MakeV1();
  Write("memory/pods/cgroup.procs", "12\n0\n");
  Write("memory/pods/a/cgroup.procs", "14\n13\n");
  Write("pids/pods/b/c/cgroup.procs", "13\n99\n");
  Write("pids/pod/cgroup.procs", "1\n");
  EXPECT_THAT(Detect().Processes("/pods"), ElementsAre(12, 13, 14, 99));
  EXPECT_THAT(Detect().Processes("/none"), IsEmpty());
}

TEST_F(CgroupsTest, AddProcessWritesEverywhere) {
  MakeV1();
  for (const char* name : {"cpu,cpuacct", "cpuset", "memory", "pids", "systemd"})
    Write(std::string(name) + "/p/cgroup.procs", "");
  ASSERT_TRUE(Detect().AddProcess("/p", 77));
  for (const char* name : {"cpu,cpuacct", "cpuset", "memory", "pids", "systemd"})
    EXPECT_EQ(Read(std::string(name) + "/p/cgroup.procs"), "77");
  EXPECT_FALSE(Detect().AddProcess("/absent", 77));
}

TEST_F(CgroupsTest, StatsOfV1) {
  MakeV1();
  EXPECT_EQ(Detect().Stats("/p").error().code, Code::kNotFound);
  Write("cpu,cpuacct/p/cpuacct.usage", "123456789\n");
  Write("memory/p/memory.usage_in_bytes", "10000\n");
  Write("memory/p/memory.limit_in_bytes", "9223372036854771712\n");
  Write("memory/p/memory.stat",
        "cache 1\ninactive_file 1\ntotal_inactive_file 4000\ntotal_rss 3000\ntotal_pgfault 7\ntotal_pgmajfault 2\n");
  Write("pids/p/pids.current", "5\n");
  const auto stats = Detect().Stats("/p");
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->cpu_usage_nanos, 123456789u);
  EXPECT_EQ(stats->memory_usage_bytes, 10000u);
  EXPECT_EQ(stats->memory_working_set_bytes, 6000u);
  EXPECT_EQ(stats->memory_rss_bytes, 3000u);
  EXPECT_EQ(stats->page_faults, 7u);
  EXPECT_EQ(stats->major_page_faults, 2u);
  EXPECT_FALSE(stats->memory_limit_bytes);
  EXPECT_EQ(stats->pids, 5u);
  Write("memory/p/memory.limit_in_bytes", "65536\n");
  EXPECT_EQ(Detect().Stats("/p")->memory_limit_bytes, 65536u);
}

TEST_F(CgroupsTest, StatsOfUnified) {
  MakeUnified();
  Write("p/cpu.stat", "usage_usec 2500\nuser_usec 1\n");
  Write("p/memory.current", "1000\n");
  Write("p/memory.max", "max\n");
  Write("p/memory.swap.current", "20\n");
  Write("p/memory.stat", "anon 300\nfile 9\ninactive_file 5000\npgfault 8\npgmajfault 1\n");
  Write("p/pids.current", "2\n");
  const auto stats = Detect().Stats("/p");
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->cpu_usage_nanos, 2'500'000u);
  EXPECT_EQ(stats->memory_working_set_bytes, 0u) << "never below zero";
  EXPECT_EQ(stats->memory_rss_bytes, 300u);
  EXPECT_EQ(stats->swap_usage_bytes, 20u);
  EXPECT_FALSE(stats->memory_limit_bytes);
}

TEST_F(CgroupsTest, Limits) {
  const Cgroups::Limits limits{
      .cpu_shares = 1024, .cpu_quota_micros = 50000, .cpu_period_micros = 100000, .memory_bytes = 4096, .pids = -1};
  MakeV1();
  for (const char* file : {"cpu,cpuacct/p/cpu.shares", "cpu,cpuacct/p/cpu.cfs_quota_us",
                           "cpu,cpuacct/p/cpu.cfs_period_us", "memory/p/memory.limit_in_bytes", "pids/p/pids.max"}) {
    Write(file, "");
  }
  ASSERT_TRUE(Detect().SetLimits("/p", limits));
  EXPECT_EQ(Read("cpu,cpuacct/p/cpu.shares"), "1024");
  EXPECT_EQ(Read("cpu,cpuacct/p/cpu.cfs_quota_us"), "50000");
  EXPECT_EQ(Read("memory/p/memory.limit_in_bytes"), "4096");
  EXPECT_EQ(Read("pids/p/pids.max"), "max");
  MakeUnified();
  for (const char* file : {"p/cpu.weight", "p/cpu.max", "p/memory.max", "p/pids.max"}) Write(file, "");
  ASSERT_TRUE(Detect().SetLimits("/p", limits));
  EXPECT_EQ(Read("p/cpu.weight"), "39");
  EXPECT_EQ(Read("p/cpu.max"), "50000 100000");
  EXPECT_EQ(Read("p/memory.max"), "4096");
}

// systemd as seen by its cgroups: writes down what it is asked for.
class FakeUnits : public host::Units {
 public:
  explicit FakeUnits(std::string root) : root_(std::move(root)) {}
  Result<void> StartSlice(const std::string& name) const override {
    calls.push_back("slice " + name);
    return base::MakeDirs(root_ + *host::CgroupOfSlice(name));
  }
  Result<void> StartScope(const std::string& name, const std::string& slice, pid_t pid) const override {
    calls.push_back(fmt::format("scope {} in {} with {}", name, slice, pid));
    return base::MakeDirs(root_ + *host::CgroupOfSlice(slice) + "/" + name);
  }
  Result<void> SetProperties(const std::string& name, const host::UnitProperties& properties) const override {
    calls.push_back(fmt::format("{} properties of {}", properties.size(), name));
    return {};
  }
  Result<void> Stop(const std::string& name) const override {
    calls.push_back("stop " + name);
    return {};
  }
  mutable std::vector<std::string> calls;

 private:
  std::string root_;
};

TEST_F(CgroupsTest, SlicesAndScopesAreSystemds) {
  MakeUnified();
  Cgroups cgroups = Detect();
  const auto units = std::make_shared<FakeUnits>(root_);
  cgroups.UseUnits(units);
  const auto calls = [&] { return std::exchange(units->calls, {}); };

  ASSERT_TRUE(cgroups.Create("/a.slice/a-b.slice"));
  EXPECT_THAT(calls(), ElementsAre("slice a-b.slice"));
  ASSERT_TRUE(cgroups.Create("/a.slice/a-b.slice/x.scope"));
  EXPECT_THAT(calls(), IsEmpty()) << "the slice is there, and a scope needs a process";
  EXPECT_FALSE(base::Exists(root_ + "/a.slice/a-b.slice/x.scope"));
  ASSERT_TRUE(cgroups.AddProcess("/a.slice/a-b.slice/x.scope", 7));
  EXPECT_THAT(calls(), ElementsAre("scope x.scope in a-b.slice with 7"));
  ASSERT_TRUE(cgroups.Create("/a.slice/a-b.slice/x.scope/exec"));
  EXPECT_TRUE(base::Exists(root_ + "/a.slice/a-b.slice/x.scope/exec")) << "what is below a scope is ours";
  ASSERT_TRUE(cgroups.Destroy("/a.slice/a-b.slice/x.scope/exec"));
  EXPECT_THAT(calls(), IsEmpty());

  ASSERT_TRUE(cgroups.SetLimits("/a.slice/a-b.slice", {.cpu_shares = 2, .pids = 5}));
  EXPECT_THAT(calls(), ElementsAre("2 properties of a-b.slice"));

  const auto refused = cgroups.RemoveUnused("/a.slice/a-b.slice");
  ASSERT_FALSE(refused) << "a scope is in it, and would be stopped";
  EXPECT_EQ(refused.error().sys_errno, ENOTEMPTY);
  EXPECT_THAT(calls(), IsEmpty());
  ASSERT_TRUE(cgroups.Destroy("/a.slice/a-b.slice/x.scope"));
  EXPECT_THAT(calls(), ElementsAre("stop x.scope"));
  ASSERT_TRUE(cgroups.RemoveUnused("/a.slice/a-b.slice"));
  EXPECT_THAT(calls(), ElementsAre("stop a-b.slice"));
  EXPECT_FALSE(base::Exists(root_ + "/a.slice/a-b.slice"));

  ASSERT_TRUE(cgroups.Create("/pods/one"));
  ASSERT_TRUE(cgroups.Destroy("/pods"));
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(CgroupsTest, LimitsOfHugePagesAndUnifiedFiles) {
  MakeUnified();
  for (const char* file : {"p/hugetlb.2MB.max", "p/memory.high"}) Write(file, "");
  ASSERT_TRUE(Detect().SetLimits("/p", {.hugepages = {{"2MB", "4194304"}}, .unified = {{"memory.high", "1000"}}}));
  EXPECT_EQ(Read("p/hugetlb.2MB.max"), "4194304");
  EXPECT_EQ(Read("p/memory.high"), "1000");
  for (const char* bad : {"../memory.high", "nothing", "a/b.c"})
    EXPECT_FALSE(Detect().SetLimits("/p", {.unified = {{bad, "1"}}})) << bad;
}

// As when this process is out of descriptors: nobody may take the container for ended.
TEST_F(CgroupsTest, WhatCannotBeReadIsNotEmpty) {
  MakeV1();
  Write("memory/p/cgroup.procs", "");
  Write("pids/p/a/cgroup.procs", "");
  EXPECT_TRUE(Detect().KillAll("/p"));
  ASSERT_TRUE(base::RemoveTree(root_ + "/pids/p/a/cgroup.procs"));
  ASSERT_EQ(::symlink("cgroup.procs", (root_ + "/pids/p/a/cgroup.procs").c_str()), 0);  // to itself: ELOOP
  const auto killed = Detect().KillAll("/p");
  ASSERT_FALSE(killed);
  EXPECT_THAT(killed.error().message, ::testing::HasSubstr("kill cgroup /p: open "));
}

TEST_F(CgroupsTest, KillAllOfNothing) {
  MakeV1();
  EXPECT_TRUE(Detect().KillAll("/none"));
  EXPECT_TRUE(Detect().Destroy("/none"));
  EXPECT_EQ(Detect().CgroupId("/none"), 0u);
}

}  // namespace
}  // namespace portcullis::runtime
