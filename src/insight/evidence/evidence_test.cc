#include "insight/evidence/evidence.h"

#include <gtest/gtest.h>

#include "insight/evidence/cgroup_path.h"
#include "insight/evidence/trace_file.h"

namespace portcullis::insight {
namespace {

constexpr uint32_t kX86_64 = 0xc000003e;

TEST(Evidence, EqualCallsAreOneWithTheirCountsAdded) {
  Evidence evidence;
  const size_t web = evidence.AddWorkload({.pod = "web", .container = "nginx"});
  EXPECT_EQ(evidence.AddWorkload({.pod = "web", .container = "nginx"}), web);
  const Call call{.workload = web, .audit_arch = kX86_64, .number = 165, .result = CallResult::kErrno};
  evidence.Add(call, {.count = 2, .first = 50, .last = 60, .address = 7});
  evidence.Add(call, {.count = 3, .first = 40, .last = 45});
  ASSERT_EQ(evidence.calls().size(), 1u);
  const CallFacts& facts = evidence.calls().begin()->second;
  EXPECT_EQ(facts.count, 5u);
  EXPECT_EQ(facts.first, 40);
  EXPECT_EQ(facts.last, 60);
  EXPECT_EQ(facts.address, 7u);
}

TEST(Evidence, MergingFindsWorkloadsByTheirValuesAndKeepsLosses) {
  Evidence first;
  first.source = "strace";
  first.AddWorkload({.command = "a"});
  first.Add({.workload = first.AddWorkload({.command = "b"}), .number = 1}, {.count = 1});
  Evidence second;
  second.source = "audit-log";
  second.Add({.workload = second.AddWorkload({.command = "b"}), .number = 1}, {.count = 1});
  second.completeness.losses.push_back({"printk", 7, "suppressed"});
  first.Merge(second);
  ASSERT_EQ(first.calls().size(), 1u);
  EXPECT_EQ(first.calls().begin()->second.count, 2u);
  EXPECT_EQ(first.source, "several");
  EXPECT_FALSE(first.IsComplete());
}

TEST(Evidence, LossesOfOneReasonAreOne) {
  Completeness completeness;
  completeness.AddLoss({"audit", 2, "x"});
  completeness.AddLoss({"audit", 0, "x"});
  completeness.AddLoss({"audit", 3, "x"});
  completeness.AddLoss({"audit", 0, "x"});
  completeness.AddLoss({"audit", 1, "y"});
  EXPECT_EQ(completeness.losses, (std::vector<Loss>{{"audit", 5, "x"}, {"audit", 0, "x"}, {"audit", 1, "y"}}));
}

TEST(Evidence, MemoryIsBoundedAndWhatHadNoRoomIsCounted) {
  Evidence evidence;
  evidence.LimitCalls(100);
  for (uint32_t number = 0; number < 1000; ++number) evidence.Add({.number = number}, {.count = 2});
  evidence.Add({.number = 5}, {.count = 1});
  EXPECT_EQ(evidence.calls().size(), 100u);
  ASSERT_EQ(evidence.completeness.losses.size(), 1u);
  EXPECT_EQ(evidence.completeness.losses[0].count, 1800u);
  EXPECT_FALSE(evidence.IsComplete());
}

TEST(Evidence, AWorkloadThatIsKnownBetterLater) {
  Evidence evidence;
  const size_t index = evidence.AddWorkload({.container_id = "c1"});
  evidence.Describe(index, {.pod = "web", .container_id = "c1"});
  EXPECT_EQ(evidence.AddWorkload({.pod = "web", .container_id = "c1"}), index);
  EXPECT_NE(evidence.AddWorkload({.container_id = "c1"}), index);
  EXPECT_EQ(evidence.workloads()[index].pod, "web");
}

TEST(Evidence, TakingAwayLeavesTheRest) {
  Evidence evidence;
  evidence.Add({.number = 1}, {.count = 5, .first = 3, .last = 4});
  EXPECT_EQ(evidence.Take({.number = 1}, 2).count, 2u);
  EXPECT_EQ(evidence.calls().begin()->second.count, 3u);
  EXPECT_EQ(evidence.Take({.number = 1}, 9).count, 3u);
  EXPECT_TRUE(evidence.calls().empty());
  EXPECT_EQ(evidence.Take({.number = 1}, 1).count, 0u);
}

Evidence Sample() {
  Evidence evidence;
  evidence.source = "ebpf";
  const size_t web = evidence.AddWorkload(
      {.pod_namespace = "default", .pod = "web", .pod_uid = "u", .container = "nginx", .container_id = "ab"});
  const size_t other = evidence.AddWorkload({.command = "ls -l"});
  evidence.Add({.workload = web,
                .executable = "/usr/sbin/nginx",
                .comm = "ng\"inx",
                .phase = Phase::kShutdown,
                .audit_arch = kX86_64,
                .number = 41,
                .arguments = {{0, 38}, {1, UINT64_MAX}},
                .result = CallResult::kErrno,
                .error = 97},
               {.count = 3,
                .first = 1625740283502000000,
                .last = 1625740284000000000,
                .address = 0x7f54b942c829,
                .location = "/lib/libc.so.6+0x11e88d",
                .symbol = "mount+0xb"});
  evidence.Add({.workload = other, .audit_arch = kX86_64, .number = 0x40000001}, {.count = 1});
  evidence.completeness.unseen = {"calls by others"};
  evidence.completeness.losses = {{"recorder", 4, "buffer full"}};
  return evidence;
}

TEST(Trace, WhatIsWrittenIsReadBack) {
  const Evidence sample = Sample();
  const std::string text = FormatTrace(sample);
  EXPECT_NE(text.find("\"syscall\":\"socket\""), std::string::npos) << text;
  EXPECT_NE(text.find("SCMP_ARCH_X32"), std::string::npos) << text;
  EXPECT_NE(text.find("\"symbol\":\"mount+0xb\""), std::string::npos) << text;
  const auto read = ParseTrace(text, "t");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(FormatTrace(*read), text);
  EXPECT_EQ(read->calls().size(), 2u);
  EXPECT_FALSE(read->completeness.cut_off);
}

TEST(Trace, CompressedAndPlainFiles) {
  for (const char* name : {"t.jsonl", "t.jsonl.gz"}) {
    const std::string path = testing::TempDir() + name;
    ASSERT_TRUE(WriteTrace(Sample(), path));
    const auto read = ReadTrace(path);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(FormatTrace(*read), FormatTrace(Sample()));
  }
  EXPECT_EQ(ReadTrace("/nonexistent").error().code, Code::kNotFound);
  EXPECT_FALSE(WriteTrace(Sample(), "/nonexistent/t"));
}

TEST(Trace, WithoutItsEndItIsCutOff) {
  std::string text = FormatTrace(Sample());
  text.resize(text.rfind("{\"end\""));
  const auto read = ParseTrace(text, "t");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->completeness.cut_off);
  EXPECT_FALSE(read->IsComplete());
  // In the middle of a line as well.
  text.resize(text.size() - 5);
  EXPECT_TRUE(ParseTrace(text, "t")->completeness.cut_off);
}

TEST(Trace, MistakesNameLineAndField) {
  const std::string header = "{\"portcullisTrace\":1}\n";
  const std::string workload = "{\"workload\":0}\n";
  for (const auto& [text, words] : std::vector<std::pair<std::string, std::string>>{
           {"", "t: is not a trace"},
           {"{}\n", "t:1: is not a trace"},
           {"{\"portcullisTrace\":2}\n", "t:1: portcullisTrace: version 2"},
           {header + "[]\n", "t:2: is not an object"},
           {header + "{\"workload\":1}\n", "t:2: workload: 1 is out of turn"},
           {header + "{\"workload\":0,\"count\":1}\n", "t:2: workload: there is no workload 0"},
           {header + workload + "{\"workload\":0,\"count\":-1}\n", "t:3: count"},
           {header + workload + "{\"workload\":0,\"count\":1,\"number\":1}\n", "t:3: auditArch"},
           {header + workload + "{\"workload\":0,\"count\":1,\"number\":1,\"auditArch\":\"3e\",\"phase\":\"x\"}\n",
            "t:3: phase: \"x\" is not known"},
           {header + workload + "{\"workload\":0,\"count\":1,\"auditArch\":\"3e\",\"args\":{\"6\":1}}\n", "t:3: args"},
           {header + "{\"end\":{}}\n{}\n", "t:3: a line after the end"},
           {header + std::string(70'000, 'x') + "\n", "a line is longer than"}}) {
    const auto parsed = ParseTrace(text, "t");
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message.find(words), std::string::npos) << parsed.error().message;
  }
}

TEST(CgroupPath, EveryRuntimesNames) {
  const std::string id(64, 'a');
  const std::string inner(64, 'b');
  const std::string uid = "01234567-89ab-cdef-0123-456789abcdef";
  const std::string uid_ = "01234567_89ab_cdef_0123_456789abcdef";
  const std::string fixed = "0123456789abcdef0123456789abcdef";
  const auto owner = [](const std::string& container, const std::string& pod) {
    return CgroupOwner{.container_id = container, .outer_id = container, .pod_uid = pod};
  };
  const std::vector<std::pair<std::string, CgroupOwner>> cases = {
      {"/kubepods/besteffort/pod" + uid + "/" + id, owner(id, uid)},
      {"/kubepods/pod" + fixed + "/" + id, owner(id, fixed)},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid_ + ".slice/cri-containerd-" + id +
           ".scope",
       owner(id, uid)},
      {"/kubepods.slice/kubepods-pod" + uid_ + ".slice:cri-containerd:" + id, owner(id, uid)},
      {"/k8s.io/" + id, owner(id, "")},
      {"/kubepods.slice/kubepods-pod" + fixed + ".slice/crio-" + id + ".scope/container", owner(id, fixed)},
      {"/kubepods/burstable/pod" + uid + "/crio-" + id, owner(id, uid)},
      {"/system.slice/docker-" + id + ".scope", owner(id, "")},
      {"/docker/" + id, owner(id, "")},
      {"/machine.slice/libpod-" + id + ".scope/container", owner(id, "")},
      {"/machine.slice/machine-libpod_pod_" + inner + ".slice/libpod-" + id + ".scope", owner(id, "")},
      {"/libpod_parent/libpod-" + id, owner(id, "")},
      {"/libpod_parent/" + inner + "/libpod-" + id, owner(id, "")},
      {"/foo/bar/" + id, owner(id, "")},
  };
  for (const auto& [path, expected] : cases) {
    const auto found = OwnerOfCgroup(path);
    ASSERT_TRUE(found) << path;
    EXPECT_EQ(*found, expected) << path;
  }
  const auto nested = OwnerOfCgroup("/kubepods/pod" + uid + "/" + id + "/docker/" + inner);
  EXPECT_EQ(nested->container_id, inner);
  EXPECT_EQ(nested->outer_id, id);
  EXPECT_TRUE(OwnerOfCgroup("/kubepods.slice/crio-conmon-" + id + ".scope")->is_monitor);
  for (const std::string& none :
       {std::string("/"), std::string("/user.slice"), "/x" + id, "/" + std::string(63, 'a'), "/" + std::string(64, 'A'),
        "/kubepods/pod" + uid, std::string("/libpod_parent/conmon"), "/libpod_parent/" + id + "/conmon"}) {
    EXPECT_FALSE(OwnerOfCgroup(none)) << none;
  }
}

TEST(CgroupPath, TheLongestLineOfTheFileDecides) {
  const std::string id(64, 'c');
  const auto owner = OwnerOfCgroupFile("4:memory:/kubepods/pod0123456789abcdef0123456789abcdef/" + id +
                                       "\n1:name=systemd:/\n0::/docker/" + std::string(64, 'd') + "\n");
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->container_id, id);
  EXPECT_FALSE(OwnerOfCgroupFile("0::/\n"));
  EXPECT_FALSE(OwnerOfCgroupFile("nonsense"));
  const std::string monitor = "0::/kubepods/pod0123456789abcdef0123456789abcdef/crio-conmon-" + id + "\n";
  EXPECT_TRUE(OwnerOfCgroupFile("4:memory:/\n" + monitor)->is_monitor);
  const auto executed =
      OwnerOfCgroupFile("4:memory:/kubepods/pod0123456789abcdef0123456789abcdef/" + id + "\n" + monitor);
  EXPECT_FALSE(executed->is_monitor) << "executed in a container of a hybrid host";
  EXPECT_EQ(executed->container_id, id);
}

}  // namespace
}  // namespace portcullis::insight
