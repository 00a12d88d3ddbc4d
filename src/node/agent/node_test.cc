#include "node/agent/node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/document.h"
#include "base/no_threads_for_test.h"
#include "node/pod/cri_config.h"
#include "node/pod/fake_runtime.h"
#include "node/server/node_server.h"

namespace portcullis::node {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Manifest(const std::string& name, const std::string& containers = "  - {name: c, image: \"i:1\"}\n",
                     const std::string& more = "") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n  terminationGracePeriodSeconds: 4\n" +
         more + "  containers:\n" + containers;
}

class NodeTest : public ::testing::Test {
 protected:
  NodeTest() : dir_(std::filesystem::temp_directory_path().string() + "/node-" + std::to_string(::getpid())) {
    fs::create_directories(dir_ + "/manifests");
    runtime_.AddImage("i:1");
    runtime_.AddImage("i:2");
  }
  ~NodeTest() override {
    node_.reset();
    fs::remove_all(dir_);
  }

  NodeOptions Options(bool seccomp_default = true) {
    NodeOptions options;
    options.pods.node_name = "n1";
    options.pods.host_ip = "192.0.2.1";
    options.pods.root_dir = dir_ + "/root";
    options.pods.pod_logs_dir = dir_ + "/logs";
    options.pods.container_log_links_dir = dir_ + "/links";
    options.pods.resolv_conf = "";
    options.pods.seccomp_default = seccomp_default;
    options.pods.relist_period = milliseconds(20);
    options.pods.retry_delay = milliseconds(60);
    options.pods.pull_back_off.first = milliseconds(60);
    options.pods.restart_back_off.first = milliseconds(150);
    options.pods.workers = 3;
    options.static_pod_path = dir_ + "/manifests";
    options.http_port = 0;
    options.version = "1.2.3";
    return options;
  }
  void Start(bool seccomp_default = true) {
    node_ = std::make_unique<Node>(Options(seccomp_default), runtime_);
    auto started = node_->Start();
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }
  void Write(const std::string& file, const std::string& text) { std::ofstream(dir_ + "/manifests/" + file) << text; }
  void Remove(const std::string& file) { fs::remove(dir_ + "/manifests/" + file); }

  static bool Eventually(const std::function<bool()>& condition) {
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  }
  std::string Phase(const std::string& name) const {
    for (const PodSnapshot& snapshot : node_->Pods()) {
      if (snapshot.pod->metadata.name == name) return snapshot.status.phase;
    }
    return "";
  }
  std::string Waiting(const std::string& name) const {
    for (const PodSnapshot& snapshot : node_->Pods()) {
      if (snapshot.pod->metadata.name != name || snapshot.status.container_statuses.empty()) continue;
      const auto* waiting = std::get_if<k8s::StateWaiting>(&snapshot.status.container_statuses[0].state);
      if (waiting != nullptr) return waiting->reason + ": " + waiting->message;
    }
    return "";
  }

  std::string dir_;
  FakeRuntime runtime_;
  std::unique_ptr<Node> node_;
};

TEST_F(NodeTest, OrdinaryPodsWaitForTheRuntimesNetwork) {
  runtime_.TakeNetwork("cni plugin not initialized");
  Start();
  Write("a.yaml", Manifest("web"));
  Write("b.yaml", Manifest("onhost", "  - {name: h, image: \"i:1\"}\n", "  hostNetwork: true\n"));
  ASSERT_TRUE(Eventually([&] { return Phase("onhost-n1") == "Running"; }));
  ASSERT_TRUE(Eventually([&] { return !Waiting("web-n1").empty() && Waiting("web-n1") != "ContainerCreating: "; }));
  EXPECT_EQ(Waiting("web-n1"),
            "ContainerCreating: network is not ready: container runtime network not ready: NetworkReady=false "
            "reason:NetworkPluginNotReady message:cni plugin not initialized");
  EXPECT_EQ(runtime_.SandboxCount(), 1u);

  runtime_.TakeNetwork("");
  EXPECT_TRUE(Eventually([&] { return Phase("web-n1") == "Running"; }));

  // What runs runs on without it, and ends when it should; what exits waits.
  runtime_.TakeNetwork("gone again");
  ASSERT_TRUE(runtime_.Exit("h", 1) && runtime_.Exit("c", 1));
  ASSERT_TRUE(Eventually([&] { return runtime_.CountCalls("StartContainer h") == 2; }));
  Remove("a.yaml");
  ASSERT_TRUE(Eventually([&] { return Phase("web-n1").empty(); }));
}

TEST_F(NodeTest, RunsAPodAndEndsItWhenItsManifestGoes) {
  Start();
  Write("a.yaml", Manifest("web"));
  ASSERT_TRUE(Eventually([&] { return Phase("web-n1") == "Running"; }));
  ASSERT_EQ(runtime_.configs().size(), 1u);
  EXPECT_EQ(runtime_.configs()[0].linux->security_context->seccomp->profile_type,
            cri::SecurityProfileProfileType::kRuntimeDefault);
  std::string uid = node_->Pods()[0].pod->metadata.uid;
  EXPECT_TRUE(fs::exists(dir_ + "/root/pods/" + uid + "/etc-hosts"));
  EXPECT_TRUE(fs::exists(dir_ + "/logs/default_web-n1_" + uid + "/c"));
  EXPECT_FALSE(fs::is_empty(dir_ + "/links"));

  Remove("a.yaml");
  ASSERT_TRUE(Eventually([&] { return node_->Pods().empty(); }));
  EXPECT_EQ(runtime_.SandboxCount(), 0u);
  EXPECT_THAT(runtime_.Containers(), IsEmpty());
  EXPECT_THAT(runtime_.calls(), testing::Contains("StopContainer c 4"));
  EXPECT_TRUE(fs::is_empty(dir_ + "/root/pods"));
  EXPECT_TRUE(fs::is_empty(dir_ + "/logs"));
  EXPECT_TRUE(fs::is_empty(dir_ + "/links"));
}

TEST_F(NodeTest, WithoutNewThreadsPodsStillRunAndEnd) {
  Start();
  const base::NoThreads none;
  const std::vector<std::string> names = {"a", "b", "c", "d", "e"};
  for (const std::string& name : names) {
    Write(name + ".yaml", Manifest(name, "  - {name: c, image: \"i:1\"}\n  - {name: d, image: \"i:2\"}\n"));
  }
  ASSERT_TRUE(Eventually([&] {
    return std::ranges::all_of(names, [&](const std::string& name) { return Phase(name + "-n1") == "Running"; });
  }));
  for (const std::string& name : names) Remove(name + ".yaml");
  ASSERT_TRUE(Eventually([&] { return node_->Pods().empty(); }));
  EXPECT_EQ(runtime_.SandboxCount(), 0u);
}

TEST_F(NodeTest, AChangedManifestEndsTheOldPodBeforeTheNewOneStarts) {
  Start();
  Write("a.yaml", Manifest("web"));
  ASSERT_TRUE(Eventually([&] { return Phase("web-n1") == "Running"; }));
  Write("a.yaml", Manifest("web", "  - {name: d, image: \"i:2\"}\n"));
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("d"); }));
  EXPECT_FALSE(runtime_.Running("c"));
  std::vector<std::string> calls = runtime_.calls();
  auto at = [&](const std::string& call) { return std::find(calls.begin(), calls.end(), call) - calls.begin(); };
  EXPECT_LT(at("RemovePodSandbox s1"), at("CreateContainer d"));
  EXPECT_EQ(runtime_.SandboxCount(), 1u);
}

TEST_F(NodeTest, ABadManifestHarmsNoOtherPodAndIsReported) {
  Write("bad.yaml", "kind: Pod\nspec: [\n");
  Write("good.yaml", Manifest("web"));
  Start();
  ASSERT_TRUE(Eventually([&] { return Phase("web-n1") == "Running"; }));
  ASSERT_EQ(node_->Problems().size(), 1u);
  EXPECT_THAT(node_->Problems()[0].file, HasSubstr("bad.yaml"));
}

TEST_F(NodeTest, ARestartLeavesRunningPodsAlone) {
  Write("a.yaml", Manifest("web"));
  Start();
  ASSERT_TRUE(Eventually([&] { return Phase("web-n1") == "Running"; }));
  node_.reset();
  EXPECT_TRUE(runtime_.Running("c"));
  size_t before = runtime_.calls().size();
  Start();
  ASSERT_TRUE(Eventually([&] { return Phase("web-n1") == "Running"; }));
  EXPECT_EQ(runtime_.calls().size(), before) << "no sandbox made, nothing started or stopped";
}

TEST_F(NodeTest, PodsWhoseManifestWentWhileTheNodeWasDownAreEnded) {
  Write("a.yaml", Manifest("web"));
  Write("b.yaml", Manifest("stays", "  - {name: s, image: \"i:1\"}\n"));
  Start();
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("c") && runtime_.Running("s"); }));
  node_.reset();
  Remove("a.yaml");
  cri::RunPodSandboxRequest foreign;  // made by somebody else's kubelet
  foreign.config = runtime_.sandbox_configs()[0];
  foreign.config->metadata->name = "foreign";
  foreign.config->labels[std::string(kPodUidLabel)] = "other";
  foreign.config->annotations.erase(std::string(kNodeAnnotation));
  ASSERT_TRUE(runtime_.RunPodSandbox(foreign).has_value());
  Start();
  ASSERT_TRUE(Eventually([&] { return !runtime_.Running("c") && runtime_.SandboxCount() == 2; }));
  EXPECT_TRUE(runtime_.Running("s"));
  EXPECT_THAT(runtime_.calls(), testing::Contains("StopContainer c 4")) << "with the grace it was made with";
}

TEST_F(NodeTest, SandboxesOfOtherMakersAreNamedOnceAndLeftAlone) {
  Write("a.yaml", Manifest("web"));
  Start();
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("c"); }));
  node_.reset();
  cri::RunPodSandboxRequest foreign;
  foreign.config = runtime_.sandbox_configs()[0];
  foreign.config->metadata->name = "foreign";
  foreign.config->annotations[std::string(kNodeAnnotation)] = "n2";
  ASSERT_TRUE(runtime_.RunPodSandbox(foreign).has_value());
  const size_t calls = runtime_.calls().size();
  testing::internal::CaptureStderr();
  Start();
  const bool runs = Eventually([&] { return Phase("web-n1") == "Running"; });
  const uint64_t listings = runtime_.Listings();
  const bool listed_again = Eventually([&] { return runtime_.Listings() > listings + 6; });
  node_.reset();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(runs && listed_again);
  EXPECT_EQ(runtime_.calls().size(), calls) << "neither stopped nor removed, though it bears the UID of a pod here";
  const std::string line = "was not made by this node";
  const size_t first = log.find(line);
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find(line, first + 1), std::string::npos) << log;
  EXPECT_THAT(log.substr(first), HasSubstr("default/foreign"));
}

TEST_F(NodeTest, AChangedPodOfTheSameUidIsUpdatedInPlace) {
  const std::string head =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: fixed-1}\nspec:\n"
      "  terminationGracePeriodSeconds: 4\n  containers:\n  - {name: stays, image: \"i:1\"}\n";
  Start();
  Write("a.yaml", head + "  - {name: old, image: \"i:1\"}\n  - {name: same, image: \"i:1\"}\n");
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("old") && runtime_.Running("same"); }));
  Write("a.yaml", head + "  - {name: fresh, image: \"i:1\"}\n  - {name: same, image: \"i:2\"}\n");
  ASSERT_TRUE(Eventually([&] {
    return runtime_.Running("fresh") && !runtime_.Running("old") && runtime_.CountCalls("StartContainer same") == 2 &&
           runtime_.Running("same");
  }));
  EXPECT_EQ(runtime_.CountCalls("StartContainer stays"), 1u);
  EXPECT_EQ(runtime_.CountCalls("RunPodSandbox"), 1u);
}

TEST_F(NodeTest, APodThatChangedWhileTheNodeWasDownStartsAfterTheOldOneHasEnded) {
  Write("a.yaml", Manifest("web"));
  Start();
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("c"); }));
  node_.reset();
  Write("a.yaml", Manifest("web", "  - {name: d, image: \"i:2\"}\n"));
  runtime_.FailCall("StopContainer", "stuck");
  Start();
  ASSERT_TRUE(Eventually([&] { return runtime_.CountCalls("StopContainer c") >= 2; }));
  EXPECT_FALSE(runtime_.Running("d")) << "two pods of one name at once";
  runtime_.FailCall("StopContainer", "");
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("d"); }));
  EXPECT_FALSE(runtime_.Running("c"));
}

TEST_F(NodeTest, AfterARestartARunningPodKeepsItsHostPort) {
  auto with_port = [](const std::string& name) {
    return Manifest(name, "  - {name: " + name + ", image: \"i:1\", ports: [{containerPort: 80, hostPort: 8080}]}\n");
  };
  Write("b.yaml", with_port("runs"));
  Start();
  ASSERT_TRUE(Eventually([&] { return Phase("runs-n1") == "Running"; }));
  node_.reset();
  Write("a.yaml", with_port("comes-first"));
  Start();
  ASSERT_TRUE(Eventually([&] { return Phase("comes-first-n1") == "Failed"; }));
  EXPECT_TRUE(Eventually([&] { return Phase("runs-n1") == "Running"; }));
  EXPECT_EQ(runtime_.SandboxCount(), 1u);
}

TEST_F(NodeTest, PodsThatTakeLongToStopDelayNoOther) {
  Start();
  for (int i = 0; i < 6; ++i) Write("p" + std::to_string(i) + ".yaml", Manifest("slow-" + std::to_string(i)));
  ASSERT_TRUE(Eventually([&] { return Phase("slow-5-n1") == "Running" && runtime_.SandboxCount() == 6; }));
  runtime_.HoldStops(true);
  for (int i = 0; i < 6; ++i) Remove("p" + std::to_string(i) + ".yaml");
  Write("new.yaml", Manifest("new", "  - {name: fresh, image: \"i:1\"}\n"));
  EXPECT_TRUE(Eventually([&] { return runtime_.Running("fresh"); })) << "the node has three threads to begin with";
  runtime_.HoldStops(false);
  EXPECT_TRUE(Eventually([&] { return runtime_.SandboxCount() == 1; }));
}

TEST_F(NodeTest, AFailureFromBeforeDoesNotDelayTheEnd) {
  runtime_.FailCall("RunPodSandbox", "no");
  auto options = Options();
  options.pods.retry_delay = std::chrono::minutes(5);
  node_ = std::make_unique<Node>(options, runtime_);
  ASSERT_TRUE(node_->Start());
  Write("a.yaml", Manifest("web"));
  ASSERT_TRUE(Eventually([&] { return runtime_.CountCalls("RunPodSandbox") >= 1; }));
  Remove("a.yaml");
  EXPECT_TRUE(Eventually([&] { return node_->Pods().empty(); }));
}

TEST_F(NodeTest, RestartsACrashingContainerWithBackOff) {
  Write("a.yaml", Manifest("web"));
  Start();
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("c"); }));
  runtime_.Exit("c", 1);
  ASSERT_TRUE(Eventually([&] { return runtime_.CountCalls("StartContainer c") == 2; }));
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("c"); }));
  runtime_.Exit("c", 1);
  ASSERT_TRUE(Eventually([&] {
    return Waiting("web-n1").starts_with("CrashLoopBackOff: back-off 150ms restarting failed container=c");
  })) << Waiting("web-n1");
  ASSERT_TRUE(Eventually([&] { return runtime_.CountCalls("StartContainer c") == 3; }));
  ASSERT_TRUE(Eventually([&] { return runtime_.Containers().size() == 2; })) << "one dead run is kept";
  EXPECT_EQ(runtime_.configs().back().log_path, "c/2.log");
}

TEST_F(NodeTest, RunsInitContainersFirst) {
  Write("a.yaml",
        Manifest("web", "  - {name: c, image: \"i:1\"}\n", "  initContainers:\n  - {name: init, image: \"i:1\"}\n"));
  Start();
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("init"); }));
  EXPECT_EQ(runtime_.CountCalls("CreateContainer c"), 0u);
  EXPECT_EQ(Phase("web-n1"), "Pending");
  runtime_.Exit("init", 0);
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("c"); }));
}

TEST_F(NodeTest, ACreateErrorIsShownAndTriedAgainWithoutCrashLoop) {
  runtime_.FailCall("CreateContainer", "no such profile");
  Write("a.yaml", Manifest("web"));
  Start();
  ASSERT_TRUE(Eventually([&] { return Waiting("web-n1") == "CreateContainerError: no such profile"; }))
      << Waiting("web-n1");
  ASSERT_TRUE(Eventually([&] { return runtime_.CountCalls("CreateContainer c") >= 3; }));
  EXPECT_EQ(Phase("web-n1"), "Pending");
  runtime_.FailCall("CreateContainer", "");
  ASSERT_TRUE(Eventually([&] { return Phase("web-n1") == "Running"; }));
  EXPECT_EQ(runtime_.configs().back().metadata->attempt, 0u);
}

TEST_F(NodeTest, AnAbsentImageIsWaitedFor) {
  Write("a.yaml", Manifest("web", "  - {name: c, image: \"absent:1\"}\n"));
  Start();
  ASSERT_TRUE(Eventually([&] { return Waiting("web-n1") == "ErrImagePull: failed to pull absent:1: not found"; }))
      << Waiting("web-n1");
  ASSERT_TRUE(Eventually([&] { return runtime_.CountCalls("PullImage") >= 3; }));
  runtime_.AddImage("absent:1");
  ASSERT_TRUE(Eventually([&] { return Phase("web-n1") == "Running"; }));
}

TEST_F(NodeTest, ALocalhostProfileWithoutNameDoesNotStart) {
  Write("a.yaml", Manifest("web",
                           "  - {name: c, image: \"i:1\", securityContext: {seccompProfile: {type: Localhost, "
                           "localhostProfile: \"\"}}}\n"));
  Start();
  ASSERT_TRUE(Eventually([&] {
    return Waiting("web-n1").starts_with(
        "CreateContainerConfigError: localhostProfile must be set if seccompProfile type is Localhost");
  })) << Waiting("web-n1");
  EXPECT_EQ(runtime_.CountCalls("CreateContainer"), 0u);
}

TEST_F(NodeTest, ASandboxFailureIsTriedAgain) {
  runtime_.FailCall("RunPodSandbox", "no network");
  Write("a.yaml", Manifest("web"));
  Start();
  ASSERT_TRUE(Eventually([&] { return Waiting("web-n1") == "ContainerCreating: no network"; })) << Waiting("web-n1");
  runtime_.FailCall("RunPodSandbox", "");
  runtime_.GiveNoIp(true);
  ASSERT_TRUE(Eventually([&] { return Waiting("web-n1").find("without an IP address") != std::string::npos; }))
      << Waiting("web-n1");
  runtime_.GiveNoIp(false);
  ASSERT_TRUE(Eventually([&] { return Phase("web-n1") == "Running"; }));
  EXPECT_LT(runtime_.CountCalls("RunPodSandbox"), 60u) << "not in a tight loop";
}

TEST_F(NodeTest, ADeadSandboxIsReplaced) {
  Write("a.yaml", Manifest("web"));
  Start();
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("c"); }));
  runtime_.KillSandboxes();
  ASSERT_TRUE(Eventually([&] { return runtime_.CountCalls("RunPodSandbox") == 2 && runtime_.Running("c"); }));
  EXPECT_EQ(runtime_.sandbox_configs().back().metadata->attempt, 1u);
}

TEST_F(NodeTest, ASecondPodOfTheSameNameWaitsForTheFirstToEnd) {
  Write("a.yaml", Manifest("web"));
  Start();
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("c"); }));
  runtime_.FailCall("StopContainer", "stuck");
  Write("a.yaml", Manifest("web", "  - {name: d, image: \"i:2\"}\n"));
  ASSERT_TRUE(Eventually([&] { return runtime_.CountCalls("StopContainer c") >= 2; }));
  EXPECT_FALSE(runtime_.Running("d"));
  EXPECT_EQ(node_->Pods().size(), 2u);
  runtime_.FailCall("StopContainer", "");
  ASSERT_TRUE(Eventually([&] { return runtime_.Running("d"); }));
}

TEST_F(NodeTest, APodWhoseHostPortIsTakenIsRejectedUntilItIsFree) {
  auto with_port = [](const std::string& name) {
    return Manifest(name, "  - {name: " + name + ", image: \"i:1\", ports: [{containerPort: 80, hostPort: 8080}]}\n");
  };
  Write("a.yaml", with_port("first"));
  Write("b.yaml", with_port("second"));
  Start();
  ASSERT_TRUE(Eventually([&] { return Phase("first-n1") == "Running" && Phase("second-n1") == "Failed"; }));
  for (const PodSnapshot& snapshot : node_->Pods()) {
    if (snapshot.pod->metadata.name == "second-n1") {
      EXPECT_EQ(snapshot.status.reason, "NodePorts");
    }
  }
  EXPECT_EQ(runtime_.SandboxCount(), 1u);
  Remove("a.yaml");
  ASSERT_TRUE(Eventually([&] { return Phase("second-n1") == "Running"; }));
}

TEST_F(NodeTest, SaysWhenTheRuntimeIsDown) {
  Start();
  ASSERT_TRUE(Eventually([&] { return node_->Health().empty(); })) << node_->Health();
  runtime_.FailCall("ListPodSandbox", "connection refused");
  ASSERT_TRUE(Eventually([&] { return node_->Health() == "container runtime is down: connection refused"; }));
  Write("a.yaml", Manifest("web"));
  ASSERT_TRUE(Eventually([&] { return Phase("web-n1") == "Pending"; }));
  runtime_.FailCall("ListPodSandbox", "");
  ASSERT_TRUE(Eventually([&] { return Phase("web-n1") == "Running"; }));
}

// The API object is never changed by the node's default.
TEST_F(NodeTest, PodsShowTheSameSpecWithSeccompDefaultOnAndOff) {
  Write("a.yaml", Manifest("web"));
  std::vector<nlohmann::json> specs;
  std::vector<cri::SecurityProfileProfileType> sent;
  for (bool seccomp_default : {true, false}) {
    runtime_.KillSandboxes();
    Start(seccomp_default);
    size_t before = runtime_.configs().size();
    ASSERT_TRUE(Eventually([&] { return runtime_.configs().size() > before || before == 0; }));
    ASSERT_TRUE(Eventually([&] { return Phase("web-n1") == "Running"; }));
    auto body = base::ParseJson(PodsBody(node_->Pods()), "/pods");
    ASSERT_TRUE(body.has_value()) << body.error().message;
    ASSERT_EQ((*body)["items"].size(), 1u);
    specs.push_back((*body)["items"][0]["spec"]);
    sent.push_back(runtime_.configs().back().linux->security_context->seccomp->profile_type);
    node_.reset();
  }
  EXPECT_EQ(specs[0].dump(), specs[1].dump());
  EXPECT_THAT(sent, ElementsAre(cri::SecurityProfileProfileType::kRuntimeDefault,
                                cri::SecurityProfileProfileType::kUnconfined));
}

TEST_F(NodeTest, RefusesToStartWithoutAName) {
  NodeOptions options = Options();
  options.pods.node_name = "";
  Node node(std::move(options), runtime_);
  EXPECT_EQ(node.Start().error().message, "empty hostname is invalid");
}

}  // namespace
}  // namespace portcullis::node
