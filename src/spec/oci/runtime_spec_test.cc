#include "spec/oci/runtime_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/document.h"

namespace portcullis::oci {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

Spec Full() {
  Spec spec;
  spec.process = {.terminal = true,
                  .user = {101, 102, {102, 7}},
                  .args = {"nginx", "-g", "daemon off;"},
                  .env = {"A=b"},
                  .cwd = "/srv",
                  .capabilities = Capabilities{{"CAP_CHOWN"}, {"CAP_CHOWN"}, {}, {"CAP_CHOWN"}, {}},
                  .rlimits = {{"RLIMIT_NOFILE", 18446744073709551615u, 1024}},
                  .no_new_privileges = true,
                  .oom_score_adj = -998,
                  .apparmor_profile = "cri",
                  .selinux_label = "x"};
  spec.root = {"/rootfs", true};
  spec.hostname = "h";
  spec.mounts = {{"/proc", "proc", "proc", {"nosuid"}}, {"/data", "bind", "/src", {"rbind"}}};
  spec.annotations = {{"a.b/c", "d"}};
  spec.linux_.namespaces = {{NamespaceType::kPid, ""}, {NamespaceType::kNetwork, "/run/netns/x"}};
  spec.linux_.devices = {
      {.path = "/dev/fuse", .type = "c", .major = 10, .minor = 229, .file_mode = 0666, .uid = 0, .gid = 0}};
  spec.linux_.cgroups_path = "/kubepods/x";
  Resources& resources = spec.linux_.resources.emplace();
  resources.devices = {{.allow = false, .type = "", .major = {}, .minor = {}, .access = "rwm"}};
  resources.cpu_shares = 1024;
  resources.cpu_quota = -1;
  resources.cpu_period = 100000;
  resources.cpuset_cpus = "0-1";
  resources.memory_limit = 1 << 20;
  resources.memory_swap = -1;
  resources.pids_limit = 100;
  resources.hugepage_limits = {{"2MB", 0}};
  resources.unified = {{"memory.oom.group", "1"}};
  spec.linux_.seccomp.emplace().syscalls = {{{"clone3"}, seccomp::Action::kErrno, 38, {}}};
  spec.linux_.rootfs_propagation = "rslave";
  spec.linux_.masked_paths = {"/proc/kcore"};
  spec.linux_.readonly_paths = {"/proc/sys"};
  spec.linux_.sysctl = {{"net.core.somaxconn", "1"}};
  return spec;
}

TEST(RuntimeSpecTest, RoundTrip) {
  const Json json = ToJson(Full());
  const auto read = SpecFromJson(json, "config.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, Full());
  EXPECT_EQ(json["linux"]["resources"]["memory"]["limit"], 1048576);
  EXPECT_EQ(json["linux"]["devices"][0]["fileMode"], 438);
  EXPECT_EQ(json["process"]["oomScoreAdj"], -998);
  EXPECT_EQ(json["linux"]["seccomp"]["syscalls"][0]["errnoRet"], 38);
}

TEST(RuntimeSpecTest, AbsentThingsAreAbsent) {
  Spec spec;
  spec.process.args = {"x"};
  const Json json = ToJson(spec);
  EXPECT_FALSE(json["linux"].contains("seccomp"));
  EXPECT_FALSE(json["linux"].contains("resources"));
  EXPECT_FALSE(json.contains("annotations"));
  EXPECT_FALSE(json.contains("hostname"));
  EXPECT_FALSE(json["process"].contains("terminal"));
  EXPECT_FALSE(json["process"].contains("oomScoreAdj"));
  EXPECT_EQ(json["process"]["user"]["uid"], 0);
  EXPECT_EQ(ToJson(Resources{}).dump(), "{}");
  EXPECT_EQ(*SpecFromJson(json, "x"), spec);
}

TEST(RuntimeSpecTest, WrongTypesNameTheirPlace) {
  const struct {
    const char* json;
    const char* want;
  } kCases[] = {
      {R"([])", "want an object"},
      {R"({"process":[]})", "/process: want an object"},
      {R"({"process":{"user":{"uid":-1}}})", "/process/user/uid: want an unsigned 32-bit number"},
      {R"({"process":{"user":{"uid":4294967296}}})", "/process/user/uid"},
      {R"({"process":{"args":["a",7]}})", "/process/args/1: want a string"},
      {R"({"process":{"oomScoreAdj":1.5}})", "/process/oomScoreAdj: want a signed 64-bit number"},
      {R"({"mounts":{}})", "/mounts: want a list"},
      {R"({"annotations":{"a":1}})", "/annotations/a: want a string"},
      {R"({"linux":{"namespaces":[{"type":"time"}]}})", "/linux/namespaces/0/type: want pid, network"},
      {R"({"linux":{"resources":{"memory":{"limit":9223372036854775808}}}})", "/linux/resources/memory/limit"},
      {R"({"root":{"readonly":"yes"}})", "/root/readonly: want true or false"},
      {R"({"linux":{"seccomp":{"defaultAction":"SCMP_ACT_NONE"}}})", "/linux/seccomp"},
  };
  for (const auto& c : kCases) {
    const auto read = SpecFromJson(Json::parse(c.json), "b/config.json");
    ASSERT_FALSE(read) << c.json;
    EXPECT_THAT(read.error().message, HasSubstr("runtime spec b/config.json"));
    EXPECT_THAT(read.error().message, HasSubstr(c.want));
  }
}

TEST(RuntimeSpecTest, ReadsOtherRuntimesSpecs) {
  for (const char* runtime : {"containerd", "crio"}) {
    std::ifstream file(std::string(PORTCULLIS_SOURCE_DIR) + "/../shared/samples/" + runtime +
                       "/inspect-runtimedefault.json");
    if (!file) GTEST_SKIP() << "samples not present";
    std::stringstream text;
    text << file.rdbuf();
    const auto json = base::ParseJson(text.str(), runtime);
    ASSERT_TRUE(json);
    const Json& original = (*json)["info"]["runtimeSpec"];
    const auto spec = SpecFromJson(original, runtime);
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(ToJson(*spec), original) << runtime;
  }
}

}  // namespace
}  // namespace portcullis::oci
