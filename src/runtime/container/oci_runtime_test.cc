// The driver against made-up programs: no container, no root. Real ones are in tests/integration/container_test.cc.
#include "runtime/container/oci_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ChooseOciRuntimeTest, Table) {
  using Installed = std::vector<std::string>;
  const struct {
    std::string setting;
    CgroupLayout layout;
    Installed installed;
    std::string want;       // name, or "error: text"
    std::string path = "";  // "": any
  } kCases[] = {
      {"auto", CgroupLayout::kUnified, {"runc", "crun"}, "crun"},
      {"auto", CgroupLayout::kUnified, {"runc"}, "runc"},
      {"auto", CgroupLayout::kHybrid, {"runc", "crun"}, "runc"},
      {"auto", CgroupLayout::kHybrid, {"runc", "crun", "portcullis-crun"}, "crun", "/usr/bin/portcullis-crun"},
      {"auto", CgroupLayout::kHybrid, {"runc", "portcullis-crun"}, "runc", "/usr/bin/runc"},
      {"auto", CgroupLayout::kUnified, {"runc", "crun", "portcullis-crun"}, "crun", "/usr/bin/crun"},
      {"auto", CgroupLayout::kV1, {"runc", "crun", "portcullis-crun"}, "runc", "/usr/bin/runc"},
      {"crun", CgroupLayout::kHybrid, {"crun", "portcullis-crun"}, "crun", "/usr/bin/portcullis-crun"},
      {"crun", CgroupLayout::kHybrid, {"portcullis-crun"}, "error: crun is not installed"},
      {"auto", CgroupLayout::kV1, {"runc", "crun"}, "runc"},
      {"", CgroupLayout::kV1, {"runc"}, "runc"},
      {"auto", CgroupLayout::kHybrid, {"crun"}, "error: only runc supports it: apt-get install runc"},
      {"auto", CgroupLayout::kUnified, {}, "error: no OCI runtime is installed: apt-get install crun"},
      {"auto", CgroupLayout::kV1, {}, "error: no OCI runtime is installed: apt-get install runc"},
      {"crun", CgroupLayout::kHybrid, {"crun"}, "crun"},
      {"crun", CgroupLayout::kUnified, {"runc"}, "error: crun is not installed"},
      {"youki", CgroupLayout::kUnified, {"runc"}, "error: want auto, runc, crun or an absolute path"},
      {"/bin/sh", CgroupLayout::kUnified, {}, "sh"},
      {"/does/not/exist", CgroupLayout::kUnified, {}, "error: use OCI runtime /does/not/exist: no such file"},
  };
  for (const auto& c : kCases) {
    const auto find = [&](const std::string& name) {
      return std::find(c.installed.begin(), c.installed.end(), name) == c.installed.end() ? std::string()
                                                                                          : "/usr/bin/" + name;
    };
    const auto chosen = ChooseOciRuntime(c.setting, c.layout, find);
    if (c.want.starts_with("error: ")) {
      ASSERT_FALSE(chosen) << c.setting;
      EXPECT_THAT(chosen.error().message, HasSubstr(c.want.substr(7)));
    } else {
      ASSERT_TRUE(chosen) << chosen.error().message;
      EXPECT_EQ(chosen->name, c.want);
      if (!c.path.empty()) {
        EXPECT_EQ(chosen->path, c.path);
      }
    }
  }
}

class OciRuntimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    scratch_ = ::testing::TempDir() + "/oci-" + base::RandomHex(4);
    ASSERT_TRUE(base::MakeDirs(scratch_ + "/cgroup"));
    ASSERT_TRUE(base::WriteFileAtomic(scratch_ + "/cgroup/cgroup.controllers", ""));
    ASSERT_TRUE(base::WriteFileAtomic(scratch_ + "/cgroup/cgroup.procs", ""));
    auto cgroups = Cgroups::Detect(scratch_ + "/cgroup");
    ASSERT_TRUE(cgroups);
    cgroups_.emplace(*cgroups);
  }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(scratch_)); }

  // A driver whose OCI runtime is a shell script: $2 is the verb.
  OciRuntime Driver(const std::string& script, std::chrono::milliseconds deadline = std::chrono::seconds(20)) {
    EXPECT_TRUE(base::WriteFileAtomic(scratch_ + "/runtime", "#!/bin/sh\n" + script + "\n", 0755));
    OciRuntime runtime({.program = {"fake", scratch_ + "/runtime"},
                        .conmon_path = "/bin/false",
                        .state_dir = scratch_ + "/run",
                        .deadline = deadline},
                       *cgroups_);
    EXPECT_TRUE(runtime.Prepare());
    return runtime;
  }
  void MakeKnown(const std::string& id) { EXPECT_TRUE(base::MakeDirs(scratch_ + "/run/oci/" + id)); }

  std::string scratch_;
  std::optional<Cgroups> cgroups_;
  const ContainerHandle handle_{"c1", "/nowhere", "/pods/p1"};
};

TEST_F(OciRuntimeTest, State) {
  const OciRuntime runtime = Driver(R"(echo '{"id":"c1","pid":42,"status":"running","bundle":"/b"}')");
  EXPECT_EQ(runtime.State(handle_).error().code, Code::kNotFound);
  MakeKnown("c1");
  const auto state = runtime.State(handle_);
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->status, ContainerStatus::kRunning);
  EXPECT_EQ(state->pid, 42);
  EXPECT_EQ(state->bundle, "/b");
}

TEST_F(OciRuntimeTest, OddStateIsAnError) {
  for (const char* text : {"", "[]", "null", R"({"status":"flying"})", R"({"status":7})"}) {
    const OciRuntime runtime = Driver("echo '" + std::string(text) + "'");
    MakeKnown("c1");
    EXPECT_FALSE(runtime.State(handle_)) << text;
  }
}

TEST_F(OciRuntimeTest, ErrorsCarryTheRuntimesWords) {
  const OciRuntime runtime = Driver(R"(echo 'time="x" level=error msg="cannot start: no luck"' >&2; exit 1)");
  EXPECT_EQ(runtime.Start(handle_, Filter::kNone).error().message, "container start failed: cannot start: no luck");
}

// A container's first process without a container: another program runs in it once the runtime says "start".
TEST_F(OciRuntimeTest, WhatRunsWithoutItsFilterIsAnError) {
  const std::string go = scratch_ + "/go";
  const OciRuntime runtime = Driver("case $2 in start) : >" + go + " ;; *) exit 1 ;; esac");
  const ContainerHandle handle{"c1", scratch_ + "/bundle", "/pods/p1"};
  ASSERT_TRUE(base::MakeDirs(handle.bundle));
  for (const Filter filter : {Filter::kNone, Filter::kWanted}) {
    ASSERT_TRUE(base::RemoveTree(go));
    auto process =
        base::Spawn({.argv = {"sh", "-c", "while [ ! -e \"$0\" ]; do sleep 0.02; done; exec sleep 1000", go}});
    ASSERT_TRUE(process) << process.error().message;
    const auto write = [&](const char* name, pid_t pid) {
      return base::WriteFileAtomic(handle.bundle + name, std::to_string(pid)).has_value();
    };
    // This test, as the monitor, has the filters that all programs here have.
    ASSERT_TRUE(write("/pidfile", process->pid) && write("/conmon.pid", ::getpid()));
    const auto started = runtime.Start(handle, filter);
    base::Discard(*std::move(process));
    EXPECT_EQ(started.has_value(), filter == Filter::kNone);
    if (!started) {
      EXPECT_THAT(started.error().message, HasSubstr("fake did not install the seccomp filter"));
    }
  }
  ASSERT_TRUE(base::RemoveTree(handle.bundle + "/pidfile"));
  EXPECT_THAT(runtime.Start(handle, Filter::kWanted).error().message, HasSubstr("there is no pidfile"));
}

TEST_F(OciRuntimeTest, CallsHaveADeadline) {
  const OciRuntime runtime = Driver("exec sleep 1000", std::chrono::milliseconds(200));
  const auto updated = runtime.Update(handle_, {});
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code, Code::kDeadlineExceeded);
  EXPECT_THAT(updated.error().message, HasSubstr("container update failed"));
}

TEST_F(OciRuntimeTest, KillOfAStoppedContainerIsSuccess) {
  const OciRuntime runtime =
      Driver(R"([ "$2" = kill ] && { echo 'container not running' >&2; exit 1; }; echo '{"status":"stopped"}')");
  MakeKnown("c1");
  EXPECT_TRUE(runtime.Kill(handle_, 15));
  const OciRuntime other =
      Driver(R"([ "$2" = kill ] && { echo 'bad signal' >&2; exit 1; }; echo '{"status":"running"}')");
  EXPECT_THAT(other.Kill(handle_, 15).error().message, HasSubstr("bad signal"));
}

TEST_F(OciRuntimeTest, UpdateSendsTheResources) {
  const OciRuntime runtime = Driver("echo \"$@\" > " + scratch_ + "/arguments; cat > " + scratch_ + "/input");
  oci::Resources resources;
  resources.cpu_shares = 512;
  ASSERT_TRUE(runtime.Update(handle_, resources));
  EXPECT_EQ(*base::ReadFile(scratch_ + "/input"), R"({"cpu":{"shares":512}})");
  EXPECT_THAT(*base::ReadFile(scratch_ + "/arguments"), HasSubstr("update -r - c1"));
}

TEST_F(OciRuntimeTest, DeleteOfWhatACrashLeft) {
  const OciRuntime runtime = Driver("echo 'container \"c1\" does not exist' >&2; exit 1");
  EXPECT_TRUE(runtime.Delete(handle_)) << "absent";
  MakeKnown("c1");
  ASSERT_TRUE(base::WriteFileAtomic(runtime.ExitDir() + "/c1", "0"));
  EXPECT_TRUE(runtime.Delete(handle_));
  EXPECT_FALSE(base::Exists(scratch_ + "/run/oci/c1"));
  EXPECT_FALSE(base::Exists(runtime.ExitDir() + "/c1"));
}

TEST_F(OciRuntimeTest, ListLeavesTheCacheOut) {
  const OciRuntime runtime = Driver("exit 1");
  for (const char* id : {"b", "a", ".cache"}) MakeKnown(id);
  EXPECT_THAT(*runtime.List(), ElementsAre("a", "b"));
}

TEST_F(OciRuntimeTest, Version) {
  const auto version = Driver("echo 'runc version 1.1.5+ds1'; echo 'spec: 1.0.2-dev'").RuntimeVersion();
  ASSERT_TRUE(version);
  EXPECT_EQ(version->name, "runc");
  EXPECT_EQ(version->version, "1.1.5+ds1");
  EXPECT_FALSE(Driver("echo hello").RuntimeVersion());
}

TEST_F(OciRuntimeTest, OddIdsAreRefused) {
  const OciRuntime runtime = Driver("exit 0");
  for (const char* id : {"", ".", "..", "a/b", "-r", "a\n", "a b"}) {
    EXPECT_EQ(runtime.Start({id, "/b", "/pods"}, Filter::kNone).error().code, Code::kInvalidArgument) << id;
  }
  EXPECT_EQ(runtime.Start({"a", "/b", "pods"}, Filter::kNone).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace portcullis::runtime
