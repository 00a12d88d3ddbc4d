#include "cli/status/status.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/status/node_switch.h"

namespace portcullis::cli {
namespace {

class FakeRuntime : public cri::RuntimeApi {
 public:
  cri::ListContainersResponse containers;
  std::map<std::string, cri::ContainerStatusResponse> statuses;

  Result<cri::VersionResponse> Version(const cri::VersionRequest&) override {
    return cri::VersionResponse{.runtime_name = "containerd", .runtime_version = "1.6.20"};
  }
  Result<cri::ListPodSandboxResponse> ListPodSandbox(const cri::ListPodSandboxRequest&) override {
    cri::ListPodSandboxResponse response;
    cri::PodSandbox& pod = response.items.emplace_back();
    pod.id = "p";
    pod.metadata = cri::PodSandboxMetadata{.name = "test-pod", .namespace_ = "default"};
    return response;
  }
  Result<cri::ListContainersResponse> ListContainers(const cri::ListContainersRequest&) override { return containers; }
  Result<cri::ContainerStatusResponse> ContainerStatus(const cri::ContainerStatusRequest& request) override {
    const auto found = statuses.find(request.container_id);
    if (found == statuses.end()) return Fail(Code::kNotFound, "gone");
    return found->second;
  }
};

class Status : public testing::Test {
 protected:
  Status() {
    std::string pattern = (std::filesystem::temp_directory_path() / "status-test-XXXXXX").string();
    proc_ = mkdtemp(pattern.data());
  }
  ~Status() override { std::filesystem::remove_all(proc_); }

  void Add(const std::string& id, const std::map<std::string, std::string>& annotations, const std::string& info) {
    cri::Container& container = runtime_.containers.containers.emplace_back();
    container.id = id;
    container.pod_sandbox_id = "p";
    container.metadata = cri::ContainerMetadata{.name = id};
    cri::ContainerStatusResponse& response = runtime_.statuses[id];
    response.status.emplace().state = cri::ContainerState::kContainerRunning;
    response.status->annotations = annotations;
    response.info["info"] = info;
  }
  void AddProcess(int pid, const std::string& text) {
    std::filesystem::create_directories(proc_ / std::to_string(pid));
    std::ofstream(proc_ / std::to_string(pid) / "status") << text;
  }
  StatusRow Row(std::optional<bool> node_default_on) {
    const auto rows = CollectStatus(runtime_, {.node_default_on = node_default_on, .proc_dir = proc_.string()});
    EXPECT_TRUE(rows);
    EXPECT_EQ(rows->size(), 1u);
    return rows->empty() ? StatusRow{} : rows->front();
  }

  FakeRuntime runtime_;
  std::filesystem::path proc_;
};

TEST_F(Status, ShowsDeclaredEffectiveAndKernel) {
  Add("c", {{kDeclaredAnnotation, "-"}, {kDecidedByAnnotation, "node default"}},
      R"j({"pid": 42, "seccompProfile": "RuntimeDefault (containerd@2.2.4)"})j");
  AddProcess(42, "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n");
  const auto rows = CollectStatus(runtime_, {.node_default_on = true, .proc_dir = proc_.string()});
  ASSERT_TRUE(rows);
  EXPECT_EQ(StatusTable(*rows),
            "POD                 CONTAINER           DECLARED            EFFECTIVE                           DECIDED "
            "BY        "
            "  KERNEL              STALE\n"
            "default/test-pod    c                   -                   RuntimeDefault (containerd@2.2.4)   node "
            "default      "
            "  2 (1 filter)        -\n");
  EXPECT_EQ(StatusJson(*rows)["containers"][0]["kernel"], nlohmann::json({{"seccomp", 2}, {"filters", 1}}));
}

TEST_F(Status, StaleIsWhatTheNodeWouldDecideOtherwiseNow) {
  struct Case {
    std::string decided_by;
    std::string effective;
    std::optional<bool> node_default_on;
    std::optional<bool> stale;
  };
  const std::vector<Case> cases = {
      {"node default", "Unconfined", true, true},
      {"node default", "Unconfined", false, false},
      {"node default", "RuntimeDefault (containerd@2.2.4)", true, false},
      {"node default", "RuntimeDefault (containerd@2.2.4)", false, true},
      {"node default", "Unconfined", std::nullopt, std::nullopt},
      {"container", "Unconfined", true, false},
      {"pod", "RuntimeDefault", false, false},
      {"privileged", "Unconfined", true, false},
      {"unknown", "Unconfined", true, std::nullopt},
  };
  for (const Case& item : cases) {
    runtime_ = FakeRuntime();
    Add("c", {{kDecidedByAnnotation, item.decided_by}}, R"({"pid": 1, "seccompProfile": ")" + item.effective + "\"}");
    EXPECT_EQ(Row(item.node_default_on).stale, item.stale) << item.decided_by << " " << item.effective;
  }
}

TEST_F(Status, TheProfileThatAnotherRuntimeWasAskedForIsNamed) {
  const auto effective = [this](const std::string& config, const std::string& seccomp) {
    runtime_ = FakeRuntime();
    Add("c", {}, R"({"config": )" + config + R"(, "runtimeSpec": {"linux": )" + seccomp + "}}");
    return Row(true).effective;
  };
  const auto asked = [](const std::string& profile) {
    return R"({"linux": {"security_context": {"seccomp": )" + profile + "}}}";
  };
  const std::string filtered = R"({"seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}})";
  EXPECT_EQ(effective(asked("{}"), filtered), "RuntimeDefault (containerd@1.6.20)");
  EXPECT_EQ(effective(asked(R"({"profile_type": 2, "localhost_ref": "/k/seccomp/a.json"})"), filtered),
            "Localhost /k/seccomp/a.json");
  // What the spec says goes before what was asked for: a privileged container has none, whatever was asked.
  EXPECT_EQ(effective(asked("{}"), "{}"), "Unconfined");
  EXPECT_EQ(effective(asked(R"({"profile_type": 1})"), filtered), "filtered");
  EXPECT_EQ(effective(asked(R"({"profile_type": "x"})"), filtered), "filtered");
  EXPECT_EQ(effective(asked(R"({"profile_type": 2, "localhost_ref": 7})"), filtered), "Localhost");
  EXPECT_EQ(effective(asked("null"), filtered), "filtered");
  EXPECT_EQ(effective("7", filtered), "filtered");
}

TEST_F(Status, OtherRuntimesAreReadFromTheirSpec) {
  Add("c", {}, R"({"pid": 42, "runtimeSpec": {"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}}}})");
  AddProcess(42, "Seccomp:\t0\n");
  const StatusRow filtered = Row(true);
  EXPECT_EQ(filtered.effective, "filtered");
  EXPECT_EQ(filtered.declared, "unknown");
  EXPECT_EQ(filtered.decided_by, "unknown");
  EXPECT_TRUE(filtered.mismatch);
  runtime_ = FakeRuntime();
  Add("c", {}, R"({"pid": 42, "runtimeSpec": {"linux": {}}})");
  EXPECT_EQ(Row(true).effective, "Unconfined");
  EXPECT_FALSE(Row(true).mismatch);
}

TEST_F(Status, CapabilitiesAndPrivilegeAreReadFromTheInfo) {
  Add("c", {},
      R"({"runtimeSpec": {"linux": {}, "process": {"capabilities": {"bounding": ["CAP_CHOWN", 7, "CAP_KILL"]}}}})");
  EXPECT_EQ(Row(true).bounding, (std::vector<std::string>{"CAP_CHOWN", "CAP_KILL"}));
  EXPECT_FALSE(Row(true).privileged);
  for (const char* info :
       {R"({"privileged": true, "runtimeSpec": {"process": {}}})",
        R"({"config": {"linux": {"security_context": {"privileged": true}}}, "runtimeSpec": {"process": {}}})"}) {
    runtime_ = FakeRuntime();
    Add("c", {}, info);
    EXPECT_TRUE(Row(true).privileged) << info;
    EXPECT_EQ(Row(true).bounding, std::vector<std::string>{}) << info;
  }
  runtime_ = FakeRuntime();
  Add("c", {}, "{}");
  EXPECT_EQ(Row(true).bounding, std::nullopt);
}

TEST_F(Status, SurvivesOddAnswers) {
  for (const std::string info :
       {"", "x", "[]", R"({"pid": -1, "runtimeSpec": 5})", R"({"pid": "7", "runtimeSpec": {"linux": 1}})"}) {
    runtime_ = FakeRuntime();
    Add("c", {}, info);
    EXPECT_FALSE(Row(true).kernel) << info;
  }
  runtime_.statuses.clear();
  const auto rows = CollectStatus(runtime_, {});
  ASSERT_TRUE(rows);
  EXPECT_TRUE(rows->empty());
}

TEST(NodeSwitch, ReadsConfigz) {
  EXPECT_TRUE(*SwitchFromConfigz(R"({"kubeletconfig": {"seccompDefault": true}})"));
  EXPECT_FALSE(*SwitchFromConfigz(R"({"kubeletconfig": {}})"));
  EXPECT_TRUE(
      *SwitchFromConfigz(R"({"kubeletconfig": {"seccompDefault": false}, "seccompDefault": {"enabled": true}})"));
  EXPECT_FALSE(SwitchFromConfigz("{}"));
  EXPECT_FALSE(SwitchFromConfigz(R"({"kubeletconfig": {"seccompDefault": "yes"}})"));
  EXPECT_FALSE(ReadNodeSwitch("127.0.0.1", 1, std::chrono::milliseconds(200)));
}

}  // namespace
}  // namespace portcullis::cli
