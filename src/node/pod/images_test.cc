#include "node/pod/images.h"

#include <gtest/gtest.h>

#include "node/pod/fake_runtime.h"

namespace portcullis::node {
namespace {

TEST(Images, DefaultTag) {
  for (auto [in, out] : {std::pair{"nginx", "nginx:latest"},
                         {"a:5000/nginx", "a:5000/nginx:latest"},
                         {"nginx:1", "nginx:1"},
                         {"a/b@sha256:00", "a/b@sha256:00"}}) {
    EXPECT_EQ(WithDefaultTag(in), out);
  }
}

// kubernetes-seccomp.md 6.10, and the rule for nodes without a registry.
TEST(Images, PullPolicy) {
  struct Row {
    const char* policy;
    bool present;
    bool in_registry;
    const char* outcome;  // "used", or the waiting reason
    bool pulls;
  };
  for (const Row& row :
       {Row{"Never", true, false, "used", false}, Row{"Never", false, true, "ErrImageNeverPull", false},
        Row{"IfNotPresent", true, false, "used", false}, Row{"IfNotPresent", false, true, "used", true},
        Row{"IfNotPresent", false, false, "ErrImagePull", true}, Row{"Always", true, true, "used", true},
        Row{"Always", true, false, "used", true}, Row{"Always", false, false, "ErrImagePull", true}}) {
    FakeRuntime runtime;
    if (row.present) runtime.AddImage("i:1", 7);
    if (row.in_registry) runtime.AddToRegistry("i:1");
    PodSettings settings;
    ImageManager images(runtime, settings);
    k8s::Container container;
    container.name = "c";
    container.image = "i:1";
    container.image_pull_policy = row.policy;
    auto result = images.Ensure(container, {});
    auto* failure = std::get_if<StepFailure>(&result);
    EXPECT_EQ(failure != nullptr ? failure->reason : "used", row.outcome)
        << row.policy << row.present << row.in_registry;
    EXPECT_EQ(runtime.CountCalls("PullImage") > 0, row.pulls) << row.policy << row.present;
    if (failure != nullptr && failure->reason == "ErrImageNeverPull") {
      EXPECT_EQ(failure->message, "Container image \"i:1\" is not present with pull policy of Never");
    }
  }
}

TEST(Images, KnowsWhomTheImageRunsAs) {
  FakeRuntime runtime;
  runtime.AddImage("root:1");
  runtime.AddImage("seven:1", 7);
  runtime.AddImage("named:1", std::nullopt, "www");
  PodSettings settings;
  ImageManager images(runtime, settings);
  auto facts = [&](const char* name) {
    k8s::Container container;
    container.image = name;
    container.image_pull_policy = "Never";
    return std::get<ImageFacts>(images.Ensure(container, {}));
  };
  EXPECT_EQ(facts("root:1").uid, 0);
  EXPECT_EQ(facts("seven:1").uid, 7);
  EXPECT_EQ(facts("named:1").uid, std::nullopt);
  EXPECT_EQ(facts("named:1").user_name, "www");
}

}  // namespace
}  // namespace portcullis::node
