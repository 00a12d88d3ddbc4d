#include "node/pod/images.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

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

// kubernetes-seccomp.md 6.10. Always means that the registry has the last word, as in the kubelet.
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
        Row{"Always", true, false, "ErrImagePull", true}, Row{"Always", false, false, "ErrImagePull", true}}) {
    FakeRuntime runtime;
    if (row.present) runtime.AddImage("i:1", 7);
    if (row.in_registry) runtime.AddToRegistry("i:1");
    PodSettings settings;
    ImageManager images(runtime, settings);
    k8s::Container container;
    container.name = "c";
    container.image = "i:1";
    container.image_pull_policy = row.policy;
    PullMemory memory;
    auto result = images.Ensure(container, {}, memory);
    auto* failure = std::get_if<StepFailure>(&result);
    EXPECT_EQ(failure != nullptr ? failure->reason : "used", row.outcome)
        << row.policy << row.present << row.in_registry;
    EXPECT_EQ(runtime.CountCalls("PullImage") > 0, row.pulls) << row.policy << row.present;
    if (failure != nullptr && failure->reason == "ErrImageNeverPull") {
      EXPECT_EQ(failure->message, "Container image \"i:1\" is not present with pull policy of Never");
    }
  }
}

TEST(Images, AFailedPullIsNotTriedAgainBeforeItsDelayIsOver) {
  FakeRuntime runtime;
  PodSettings settings;
  ImageManager images(runtime, settings);
  PullMemory memory;
  memory.back_off = BackOff(BackOffSettings{.first = std::chrono::seconds(100)});
  const auto failure = [&](const char* image) {
    k8s::Container container;
    container.image = image;
    container.image_pull_policy = "IfNotPresent";
    auto result = images.Ensure(container, {}, memory);
    return std::holds_alternative<StepFailure>(result) ? std::get<StepFailure>(result) : StepFailure{"used", ""};
  };
  const StepFailure first = failure("gone");
  EXPECT_EQ(first.reason, "ErrImagePull");
  EXPECT_EQ(first.retry_at, memory.failed.at("gone:latest").at + 100'000'000'000);
  // Another container of the pod, which writes the same image in another way.
  const StepFailure second = failure("gone:latest");
  EXPECT_EQ(second.reason, "ImagePullBackOff");
  EXPECT_EQ(second.message, "Back-off pulling image \"gone:latest\": ErrImagePull: " + first.message);
  EXPECT_EQ(second.retry_at, first.retry_at);
  EXPECT_EQ(runtime.CountCalls("PullImage"), 1u);
  EXPECT_EQ(failure("other:1").reason, "ErrImagePull");
  // It came by another way.
  runtime.AddImage("gone:latest");
  EXPECT_EQ(failure("gone").reason, "used");
}

TEST(Images, TheNodesLoginGoesAlong) {
  FakeRuntime runtime;
  runtime.AddToRegistry("private:1");
  runtime.AddToRegistry("public:1");
  PodSettings settings;
  settings.login_of_image = [](const std::string& image) -> std::optional<cri::AuthConfig> {
    if (image != "private:1") return std::nullopt;
    return cri::AuthConfig{.username = "u", .password = "p"};
  };
  ImageManager images(runtime, settings);
  for (const char* image : {"private:1", "public:1"}) {
    k8s::Container container;
    container.image = image;
    container.image_pull_policy = "Always";
    PullMemory memory;
    ASSERT_TRUE(std::holds_alternative<ImageFacts>(images.Ensure(container, {}, memory)));
  }
  ASSERT_EQ(runtime.logins().size(), 2u);
  EXPECT_EQ(runtime.logins()[0]->username, "u");
  EXPECT_FALSE(runtime.logins()[1]);
}

TEST(Images, TheRuntimesOwnReasons) {
  FakeRuntime runtime;
  PodSettings settings;
  ImageManager images(runtime, settings);
  runtime.FailCall("PullImage", "RegistryUnavailable: no route to host");
  k8s::Container container;
  container.image = "i:1";
  container.image_pull_policy = "Always";
  PullMemory memory;
  const auto failure = std::get<StepFailure>(images.Ensure(container, {}, memory));
  EXPECT_EQ(failure.reason, "RegistryUnavailable");
  EXPECT_EQ(failure.message, "image pull failed for i:1 because the registry is unavailable: no route to host");
  EXPECT_TRUE(IsPullFailure(failure.reason));
  EXPECT_FALSE(IsPullFailure("ErrImageNeverPull"));
}

TEST(PullSlots, AsManyAtATimeAsAllowed) {
  for (const int limit : {0, 1, 3}) {
    PullSlots slots(limit);
    std::atomic<int> now = 0;
    std::atomic<int> most = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
          for (int round = 0; round < 50; ++round) {
            const PullSlots::Place place(slots);
            const int here = ++now;
            for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) {
            }
            std::this_thread::yield();
            --now;
          }
        });
      }
    }
    EXPECT_GE(most, 1);
    EXPECT_LE(most, limit == 0 ? 8 : limit);
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
    PullMemory memory;
    return std::get<ImageFacts>(images.Ensure(container, {}, memory));
  };
  EXPECT_EQ(facts("root:1").uid, 0);
  EXPECT_EQ(facts("seven:1").uid, 7);
  EXPECT_EQ(facts("named:1").uid, std::nullopt);
  EXPECT_EQ(facts("named:1").user_name, "www");
}

}  // namespace
}  // namespace portcullis::node
