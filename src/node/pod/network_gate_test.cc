#include "node/pod/network_gate.h"

#include <gtest/gtest.h>

#include "node/pod/fake_runtime.h"

namespace portcullis::node {
namespace {

TEST(NetworkGateTest, SaysWhatTheKubeletSays) {
  FakeRuntime runtime;
  EXPECT_EQ(NetworkGate(runtime).WhyClosed(), "");
  runtime.TakeNetwork("Network plugin returns error: cni plugin not initialized");
  EXPECT_EQ(
      NetworkGate(runtime).WhyClosed(),
      "network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
      "message:Network plugin returns error: cni plugin not initialized");
}

// What the runtime does not say is no reason to wait: the step itself will fail.
TEST(NetworkGateTest, OpenUnlessTheRuntimeSaysOtherwise) {
  EXPECT_EQ(NetworkProblem({}), "");
  EXPECT_EQ(NetworkProblem({.status = cri::RuntimeStatus{.conditions = {{.type = "RuntimeReady", .status = false}}}}),
            "");
  FakeRuntime runtime;
  runtime.FailCall("Status", "down", Code::kUnavailable);
  EXPECT_EQ(NetworkGate(runtime).WhyClosed(), "");
}

TEST(NetworkGateTest, ManyPodsAreOneQuestion) {
  FakeRuntime runtime;
  NetworkGate gate(runtime);
  for (int pod = 0; pod < 50; ++pod) EXPECT_EQ(gate.WhyClosed(), "");
  EXPECT_LT(runtime.StatusCalls(), 50u);
}

}  // namespace
}  // namespace portcullis::node
