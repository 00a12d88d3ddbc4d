#include "runtime/service/filters.h"

#include <gtest/gtest.h>

namespace portcullis::runtime {
namespace {

SandboxRow Sandbox() {
  SandboxRow row;
  row.id = "aabbcc";
  row.step = SandboxStep::kReady;
  row.config.labels = {{"app", "web"}, {"tier", "front"}};
  return row;
}

ContainerRow Container() {
  ContainerRow row;
  row.id = "112233";
  row.sandbox_id = "aabbcc";
  row.step = ContainerStep::kRunning;
  row.config.labels = {{"app", "web"}};
  return row;
}

TEST(FiltersTest, Sandboxes) {
  using Filter = cri::PodSandboxFilter;
  using State = cri::PodSandboxState;
  const auto state = [](State s) { return cri::PodSandboxStateValue{.state = s}; };
  const struct {
    std::optional<Filter> filter;
    bool want;
  } cases[] = {
      {std::nullopt, true},
      {Filter{}, true},
      {Filter{.id = "aabbcc"}, true},
      {Filter{.id = "aab"}, true},
      {Filter{.id = "bb"}, false},
      {Filter{.id = "aabbccd"}, false},
      {Filter{.state = state(State::kSandboxReady)}, true},
      {Filter{.state = state(State::kSandboxNotready)}, false},
      {Filter{.label_selector = {{"app", "web"}}}, true},
      {Filter{.label_selector = {{"app", "web"}, {"tier", "front"}}}, true},
      {Filter{.label_selector = {{"app", "db"}}}, false},
      {Filter{.label_selector = {{"other", ""}}}, false},
      {Filter{.id = "aab", .state = state(State::kSandboxReady), .label_selector = {{"app", "db"}}}, false},
  };
  for (size_t i = 0; i < std::size(cases); ++i)
    EXPECT_EQ(Matches(Sandbox(), cases[i].filter), cases[i].want) << "case " << i;
}

TEST(FiltersTest, Containers) {
  using Filter = cri::ContainerFilter;
  using State = cri::ContainerState;
  const auto state = [](State s) { return cri::ContainerStateValue{.state = s}; };
  const struct {
    std::optional<Filter> filter;
    bool want;
  } cases[] = {
      {std::nullopt, true},
      {Filter{.id = "1122"}, true},
      {Filter{.id = "22"}, false},
      {Filter{.pod_sandbox_id = "aabbcc"}, true},
      {Filter{.pod_sandbox_id = "aa"}, true},
      {Filter{.pod_sandbox_id = "bb"}, false},
      {Filter{.state = state(State::kContainerRunning)}, true},
      {Filter{.state = state(State::kContainerCreated)}, false},
      {Filter{.state = state(State::kContainerExited)}, false},
      {Filter{.label_selector = {{"app", "web"}}}, true},
      {Filter{.label_selector = {{"app", "we"}}}, false},
  };
  for (size_t i = 0; i < std::size(cases); ++i)
    EXPECT_EQ(Matches(Container(), cases[i].filter), cases[i].want) << "case " << i;
}

TEST(FiltersTest, Stats) {
  EXPECT_TRUE(Matches(Container(), cri::ContainerStatsFilter{.pod_sandbox_id = "aabb"}));
  EXPECT_FALSE(Matches(Container(), cri::ContainerStatsFilter{.id = "9"}));
  EXPECT_TRUE(Matches(Sandbox(), cri::PodSandboxStatsFilter{.label_selector = {{"tier", "front"}}}));
  EXPECT_FALSE(Matches(Sandbox(), cri::PodSandboxStatsFilter{.label_selector = {{"tier", "back"}}}));
}

TEST(FiltersTest, HalfMadeThingsAreHidden) {
  EXPECT_FALSE(IsVisible(SandboxStep::kCreating));
  EXPECT_TRUE(IsVisible(SandboxStep::kRemoving)) << "its removal may have failed, and must be asked for again";
  EXPECT_TRUE(IsVisible(SandboxStep::kNotReady));
  EXPECT_FALSE(IsVisible(ContainerStep::kCreating));
  EXPECT_TRUE(IsVisible(ContainerStep::kRemoving));
  SandboxRow sandbox = Sandbox();
  sandbox.step = SandboxStep::kRemoving;
  EXPECT_EQ(StateOf(sandbox), cri::PodSandboxState::kSandboxNotready);
  ContainerRow container = Container();
  container.step = ContainerStep::kRemoving;
  EXPECT_EQ(StateOf(container), cri::ContainerState::kContainerExited);
  EXPECT_TRUE(IsVisible(ContainerStep::kExited));
}

}  // namespace
}  // namespace portcullis::runtime
