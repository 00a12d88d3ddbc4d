#include "node/pod/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/pod/pod_for_test.h"

namespace portcullis::node {
namespace {

using ::testing::ElementsAre;
using State = cri::ContainerState;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1000 * kSecond;

class StatusTest : public ::testing::Test {
 protected:
  StatusTest() { settings_.host_ip = "192.0.2.1"; }

  k8s::PodStatus Make(const k8s::PodStatus* previous = nullptr, int64_t now = kNow) {
    return ComputeStatus({.pod = *pod_,
                          .observed = observed_,
                          .memory = memory_,
                          .settings = settings_,
                          .start_time = 5 * kSecond,
                          .now = now,
                          .previous = previous});
  }
  void WithSandbox() { observed_.sandboxes = {{.id = "s1", .ready = true, .ips = {"10.0.0.2"}}}; }
  ObservedContainer& Add(const std::string& name, State state, int exit_code = 0, int attempt = 0) {
    ObservedContainer seen;
    seen.id = name + std::to_string(attempt);
    seen.name = name;
    seen.sandbox_id = "s1";
    seen.state = state;
    seen.exit_code = exit_code;
    seen.attempt = attempt;
    seen.started_at = 10 * kSecond;
    seen.finished_at = state == State::kContainerExited ? kNow - 5 * kSecond : 0;
    seen.image = "i:1";
    seen.image_ref = "sha256:abc";
    observed_.containers.insert(observed_.containers.begin(), seen);
    return observed_.containers.front();
  }
  static std::string Reason(const k8s::ContainerState& state) {
    if (const auto* waiting = std::get_if<k8s::StateWaiting>(&state)) return waiting->reason;
    if (std::holds_alternative<k8s::StateRunning>(state)) return "running";
    if (const auto* ended = std::get_if<k8s::StateTerminated>(&state)) return "ended " + ended->reason;
    return "";
  }
  static bool Condition(const k8s::PodStatus& status, const std::string& type) {
    for (const k8s::PodCondition& condition : status.conditions) {
      if (condition.type == type) return condition.status;
    }
    ADD_FAILURE() << type;
    return false;
  }

  std::shared_ptr<const k8s::Pod> pod_ = PodForTest("  containers:\n  - {name: a, image: \"i:1\"}\n");
  ObservedPod observed_;
  PodMemory memory_;
  PodSettings settings_;
};

TEST_F(StatusTest, BeforeAnythingIsThere) {
  k8s::PodStatus status = Make();
  EXPECT_EQ(status.phase, "Pending");
  EXPECT_EQ(Reason(status.container_statuses[0].state), "ContainerCreating");
  EXPECT_EQ(status.host_ip, "192.0.2.1");
  EXPECT_THAT(status.pod_ips, testing::IsEmpty());
  EXPECT_EQ(status.start_time, 5 * kSecond);
  EXPECT_FALSE(Condition(status, "PodReadyToStartContainers"));
  EXPECT_FALSE(Condition(status, "Ready"));
  EXPECT_TRUE(Condition(status, "PodScheduled"));
  memory_.pod_fault = Fault{.reason = "create sandbox", .message = "no network"};
  EXPECT_EQ(std::get<k8s::StateWaiting>(Make().container_statuses[0].state).message, "no network");
}

TEST_F(StatusTest, Running) {
  WithSandbox();
  Add("a", State::kContainerRunning, 0, 2);
  k8s::PodStatus status = Make();
  EXPECT_EQ(status.phase, "Running");
  const k8s::ContainerStatus& container = status.container_statuses[0];
  EXPECT_EQ(Reason(container.state), "running");
  EXPECT_TRUE(container.ready);
  EXPECT_EQ(container.started, true);
  EXPECT_EQ(container.restart_count, 2);
  EXPECT_EQ(container.container_id, "portcullis://a2");
  EXPECT_EQ(container.image_id, "sha256:abc");
  EXPECT_THAT(status.pod_ips, ElementsAre("10.0.0.2"));
  for (const char* type : {"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"})
    EXPECT_TRUE(Condition(status, type));
}

TEST_F(StatusTest, ConditionsKeepTheirTimes) {
  WithSandbox();
  k8s::PodStatus before = Make(nullptr, kNow);
  Add("a", State::kContainerRunning);
  k8s::PodStatus after = Make(&before, kNow + kSecond);
  for (const k8s::PodCondition& condition : after.conditions) {
    bool changed = condition.type == "Ready" || condition.type == "ContainersReady";
    EXPECT_EQ(condition.last_transition_time, changed ? kNow + kSecond : kNow) << condition.type;
  }
}

TEST_F(StatusTest, CrashLoopBackOffInKubernetesWords) {
  WithSandbox();
  Add("a", State::kContainerExited, 7, 1);
  EXPECT_EQ(Reason(Make().container_statuses[0].state), "ended Error");
  memory_.restarts.Next("a", kNow - 200 * kSecond, kNow - 190 * kSecond);
  for (int i = 0; i < 3; ++i) memory_.restarts.Next("a", kNow - 100 * kSecond, kNow - 90 * kSecond);
  k8s::ContainerStatus container = Make().container_statuses[0];
  const auto& waiting = std::get<k8s::StateWaiting>(container.state);
  EXPECT_EQ(waiting.reason, "CrashLoopBackOff");
  EXPECT_EQ(waiting.message, "back-off 1m20s restarting failed container=a pod=web-n1_default(uid-1)");
  EXPECT_EQ(std::get<k8s::StateTerminated>(container.last_state).exit_code, 7);
  EXPECT_EQ(container.restart_count, 1);
  EXPECT_EQ(Make().phase, "Running");
}

TEST_F(StatusTest, FaultsAreWaitingReasons) {
  WithSandbox();
  struct Row {
    const char* reason;
    int64_t age;
    const char* shown;
    const char* message;
  };
  for (const Row& row :
       {Row{"CreateContainerError", 5, "CreateContainerError", "m"},
        Row{"CreateContainerConfigError", 5, "CreateContainerConfigError", "m"},
        Row{"ErrImageNeverPull", 5, "ErrImageNeverPull", "m"}, Row{"ErrImagePull", 1, "ErrImagePull", "m"},
        Row{"ErrImagePull", 5, "ImagePullBackOff", "Back-off pulling image \"i:1\": ErrImagePull: m"}}) {
    memory_.container_faults["a"] = {
        .reason = row.reason, .message = "m", .since = kNow - row.age * kSecond, .retry_at = kNow + 3 * kSecond};
    k8s::PodStatus status = Make();
    EXPECT_EQ(Reason(status.container_statuses[0].state), row.shown);
    EXPECT_EQ(std::get<k8s::StateWaiting>(status.container_statuses[0].state).message, row.message);
    EXPECT_EQ(status.phase, "Pending");
    EXPECT_EQ(status.container_statuses[0].restart_count, 0);
  }
}

TEST_F(StatusTest, PhaseOfWhatHasEnded) {
  struct Row {
    const char* policy;
    int exit_code;
    const char* phase;
  };
  for (const Row& row : {Row{"Never", 0, "Succeeded"}, Row{"Never", 1, "Failed"}, Row{"OnFailure", 0, "Succeeded"},
                         Row{"OnFailure", 1, "Running"}, Row{"Always", 0, "Running"}}) {
    pod_ =
        PodForTest(std::string("  restartPolicy: ") + row.policy + "\n  containers:\n  - {name: a, image: \"i:1\"}\n");
    observed_ = {};
    WithSandbox();
    Add("a", State::kContainerExited, row.exit_code);
    EXPECT_EQ(Make().phase, row.phase) << row.policy << row.exit_code;
  }
}

TEST_F(StatusTest, TerminatedCarriesReasonAndMessage) {
  pod_ = PodForTest("  restartPolicy: Never\n  containers:\n  - {name: a, image: \"i:1\"}\n");
  WithSandbox();
  ObservedContainer& seen = Add("a", State::kContainerExited, 137);
  seen.reason = "OOMKilled";
  seen.message = "last words";
  k8s::StateTerminated ended = std::get<k8s::StateTerminated>(Make().container_statuses[0].state);
  EXPECT_EQ(ended.reason, "OOMKilled");
  EXPECT_EQ(ended.message, "last words");
  EXPECT_EQ(ended.exit_code, 137);
  EXPECT_EQ(ended.container_id, "portcullis://a0");
  seen.reason.clear();
  EXPECT_EQ(Reason(Make().container_statuses[0].state), "ended Error");
}

TEST_F(StatusTest, WaitsForInitContainers) {
  pod_ = PodForTest("  initContainers:\n  - {name: i, image: \"i:1\"}\n  containers:\n  - {name: a, image: \"i:1\"}\n");
  WithSandbox();
  Add("i", State::kContainerRunning);
  k8s::PodStatus status = Make();
  EXPECT_EQ(status.phase, "Pending");
  EXPECT_EQ(Reason(status.container_statuses[0].state), "PodInitializing");
  EXPECT_FALSE(Condition(status, "Initialized"));
  observed_.containers.clear();
  Add("i", State::kContainerExited, 0);
  status = Make();
  EXPECT_TRUE(Condition(status, "Initialized"));
  EXPECT_TRUE(status.init_container_statuses[0].ready);
  EXPECT_EQ(Reason(status.init_container_statuses[0].state), "ended Completed");
}

TEST_F(StatusTest, HostNetworkPodsHaveTheNodesAddress) {
  pod_ = PodForTest("  hostNetwork: true\n  containers:\n  - {name: a, image: \"i:1\"}\n");
  observed_.sandboxes = {{.id = "s1", .ready = true, .host_network = true}};
  EXPECT_THAT(Make().pod_ips, ElementsAre("192.0.2.1"));
}

TEST_F(StatusTest, DeadlineExceeded) {
  pod_ = PodForTest("  activeDeadlineSeconds: 10\n  containers:\n  - {name: a, image: \"i:1\"}\n");
  WithSandbox();
  Add("a", State::kContainerRunning);
  k8s::PodStatus status = Make();
  EXPECT_EQ(status.phase, "Failed");
  EXPECT_EQ(status.reason, "DeadlineExceeded");
}

}  // namespace
}  // namespace portcullis::node
