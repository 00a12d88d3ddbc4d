#include "node/pod/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/pod/pod_for_test.h"

namespace portcullis::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using State = cri::ContainerState;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1000 * kSecond;

// One word per action, so that a table can say what should happen.
std::string Word(const Action& action) {
  if (const auto* kill = std::get_if<Kill>(&action)) {
    std::string out = "kill";
    for (const ContainerToStop& container : kill->containers) out += " " + container.id;
    for (const std::string& id : kill->sandbox_ids) out += " " + id;
    return out + " grace=" + std::to_string(kill->grace_seconds);
  }
  if (const auto* create = std::get_if<CreateSandbox>(&action)) return "sandbox " + std::to_string(create->attempt);
  if (const auto* start = std::get_if<StartContainer>(&action))
    return "start " + start->name + " " + std::to_string(start->attempt);
  if (const auto* remove = std::get_if<RemoveContainer>(&action)) return "remove " + remove->id;
  return "remove " + std::get<RemoveSandbox>(action).id;
}

std::vector<std::string> Words(const Decision& decision) {
  std::vector<std::string> out;
  for (const Action& action : decision.actions) out.push_back(Word(action));
  return out;
}

ObservedSandbox Sandbox(const std::string& id, bool ready, uint32_t attempt = 0) {
  return {.id = id, .attempt = attempt, .ready = ready, .created_at = (100 + attempt) * kSecond, .ips = {"10.0.0.2"}};
}

ObservedContainer Seen(const std::string& id, const std::string& name, State state, int exit_code = 0, int attempt = 0,
                       const std::string& sandbox = "s1") {
  ObservedContainer seen;
  seen.id = id;
  seen.name = name;
  seen.sandbox_id = sandbox;
  seen.state = state;
  seen.exit_code = exit_code;
  seen.attempt = attempt;
  seen.created_at = (200 + attempt) * kSecond;
  seen.finished_at = state == State::kContainerExited ? kNow - 5 * kSecond : 0;
  return seen;
}

std::string Spec(const std::string& policy, bool init = false) {
  std::string out = "  restartPolicy: " + policy + "\n  terminationGracePeriodSeconds: 7\n";
  if (init) out += "  initContainers:\n  - {name: i1, image: \"i:1\"}\n  - {name: i2, image: \"i:1\"}\n";
  return out + "  containers:\n  - {name: a, image: \"i:1\"}\n  - {name: b, image: \"i:1\"}\n";
}

class DecideTest : public ::testing::Test {
 protected:
  Decision Run(bool terminating = false) {
    return Decide(
        {.pod = pod_.get(), .terminating = terminating, .observed = observed_, .memory = memory_, .now = kNow});
  }
  std::shared_ptr<const k8s::Pod> pod_ = PodForTest(Spec("Always"));
  ObservedPod observed_;
  PodMemory memory_;
};

TEST_F(DecideTest, MakesASandboxThenAllContainers) {
  EXPECT_THAT(Words(Run()), ElementsAre("sandbox 0"));
  observed_.sandboxes = {Sandbox("s1", true)};
  EXPECT_THAT(Words(Run()), ElementsAre("start a 0", "start b 0"));
}

TEST_F(DecideTest, OnFailureDoesNotRepeatInANewSandboxWhatEndedWell) {
  pod_ = PodForTest(Spec("OnFailure"));
  observed_.sandboxes = {Sandbox("s2", true, 1), Sandbox("s1", false)};
  observed_.containers = {Seen("a1", "a", State::kContainerExited, 0), Seen("b1", "b", State::kContainerExited, 137)};
  EXPECT_THAT(Words(Run()), ElementsAre("start b 1"));
}

TEST_F(DecideTest, StopsContainersThatTheManifestHasNoMore) {
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.containers = {Seen("a1", "a", State::kContainerRunning), Seen("b1", "b", State::kContainerRunning),
                          Seen("x1", "x", State::kContainerRunning), Seen("y1", "y", State::kContainerExited)};
  const auto words = Words(Run());
  ASSERT_FALSE(words.empty());
  EXPECT_EQ(words[0].substr(0, 7), "kill x1");
}

TEST_F(DecideTest, LeavesRunningContainersAlone) {
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.containers = {Seen("c1", "a", State::kContainerRunning, 0, 3), Seen("c2", "b", State::kContainerRunning)};
  Decision decision = Run();
  EXPECT_THAT(Words(decision), IsEmpty());
  EXPECT_EQ(decision.check_at, std::nullopt);
}

TEST_F(DecideTest, RestartsByPolicy) {
  struct Row {
    const char* policy;
    int exit_code;
    bool restarts;
  };
  for (const Row& row : {Row{"Always", 0, true}, Row{"Always", 1, true}, Row{"OnFailure", 0, false},
                         Row{"OnFailure", 1, true}, Row{"Never", 0, false}, Row{"Never", 1, false}}) {
    pod_ = PodForTest(Spec(row.policy));
    observed_.sandboxes = {Sandbox("s1", true)};
    observed_.containers = {Seen("c1", "a", State::kContainerExited, row.exit_code),
                            Seen("c2", "b", State::kContainerRunning)};
    auto words = Words(Run());
    EXPECT_EQ(words, row.restarts ? std::vector<std::string>{"start a 1"} : std::vector<std::string>{})
        << row.policy << row.exit_code;
  }
}

// What failed or ended an hour "from now" did so before the clock was set back.
TEST_F(DecideTest, AClockThatIsSetBackMakesNothingWait) {
  constexpr int64_t kAhead = kNow + 3600 * kSecond;
  memory_.pod_fault = Fault{.reason = "create sandbox", .message = "no", .since = kAhead, .retry_at = kAhead + kSecond};
  EXPECT_THAT(Words(Run()), ElementsAre("sandbox 0"));
  memory_.pod_fault.reset();
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.containers = {Seen("a1", "a", State::kContainerExited, 1)};
  observed_.containers[0].finished_at = kAhead;
  memory_.restarts.Next("a", kAhead - 20 * kSecond, kAhead - 15 * kSecond);
  memory_.container_faults["b"] = {.reason = "CreateContainerError", .since = kAhead, .retry_at = kAhead + kSecond};
  EXPECT_THAT(Words(Run()), ElementsAre("start a 1", "start b 0"));
}

TEST_F(DecideTest, WaitsForTheBackOffOfACrashingContainer) {
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.containers = {Seen("c1", "a", State::kContainerExited, 1), Seen("c2", "b", State::kContainerRunning)};
  memory_.restarts.Next("a", kNow - 20 * kSecond, kNow - 15 * kSecond);
  Decision decision = Run();
  EXPECT_THAT(Words(decision), IsEmpty());
  EXPECT_EQ(decision.check_at, kNow + 5 * kSecond) << "ten seconds after it ended";
  observed_.containers[0].finished_at = kNow - 10 * kSecond;
  EXPECT_THAT(Words(Run()), ElementsAre("start a 1"));
}

TEST_F(DecideTest, RetriesAFailedStartLaterAndTheOthersNow) {
  observed_.sandboxes = {Sandbox("s1", true)};
  memory_.container_faults["a"] = {.reason = "CreateContainerError", .retry_at = kNow + 3 * kSecond};
  Decision decision = Run();
  EXPECT_THAT(Words(decision), ElementsAre("start b 0"));
  EXPECT_EQ(decision.check_at, kNow + 3 * kSecond);
}

TEST_F(DecideTest, ReplacesWhatWasMadeButNeverStarted) {
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.containers = {Seen("c1", "a", State::kContainerCreated), Seen("c2", "b", State::kContainerRunning)};
  EXPECT_THAT(Words(Run()), ElementsAre("remove c1", "start a 0"));
}

TEST_F(DecideTest, RunsInitContainersInOrder) {
  pod_ = PodForTest(Spec("Always", true));
  observed_.sandboxes = {Sandbox("s1", true)};
  EXPECT_THAT(Words(Run()), ElementsAre("start i1 0"));
  observed_.containers = {Seen("c1", "i1", State::kContainerRunning)};
  EXPECT_THAT(Words(Run()), IsEmpty());
  observed_.containers = {Seen("c1", "i1", State::kContainerExited, 1)};
  EXPECT_THAT(Words(Run()), ElementsAre("start i1 1"));
  observed_.containers = {Seen("c1", "i1", State::kContainerExited, 0)};
  EXPECT_THAT(Words(Run()), ElementsAre("start i2 0"));
  observed_.containers.push_back(Seen("c2", "i2", State::kContainerExited, 0));
  EXPECT_THAT(Words(Run()), ElementsAre("start a 0", "start b 0"));
}

TEST_F(DecideTest, TakesInitAsDoneWhenARegularContainerIsThere) {
  pod_ = PodForTest(Spec("Always", true));
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.containers = {Seen("c1", "a", State::kContainerRunning)};
  EXPECT_THAT(Words(Run()), ElementsAre("start b 0"));
}

TEST_F(DecideTest, AnInitFailureEndsAPodThatNeverRestarts) {
  pod_ = PodForTest(Spec("Never", true));
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.containers = {Seen("c1", "i1", State::kContainerExited, 3)};
  EXPECT_EQ(OutcomeOf(*pod_, observed_, kNow), PodOutcome::kFailed);
  EXPECT_THAT(Words(Run()), ElementsAre("kill s1 grace=7"));
  observed_.sandboxes[0].ready = false;
  EXPECT_THAT(Words(Run()), IsEmpty());
}

TEST_F(DecideTest, RenewsASandboxThatIsUnfit) {
  struct Row {
    const char* name;
    std::vector<ObservedSandbox> sandboxes;
    std::vector<std::string> first;
  };
  ObservedSandbox no_ip = Sandbox("s1", true);
  no_ip.ips.clear();
  ObservedSandbox host = Sandbox("s1", true);
  host.host_network = true;
  for (const Row& row :
       {Row{"not ready", {Sandbox("s1", false)}, {"kill c1 grace=7"}},
        Row{"two ready", {Sandbox("s2", true, 1), Sandbox("s1", true)}, {"kill c1 s2 s1 grace=7"}},
        Row{"no address", {no_ip}, {"kill c1 s1 grace=7"}}, Row{"other network", {host}, {"kill c1 s1 grace=7"}}}) {
    observed_.sandboxes = row.sandboxes;
    observed_.containers = {Seen("c1", "a", State::kContainerRunning)};
    EXPECT_EQ(Words(Run()), row.first) << row.name;
  }
  observed_.sandboxes = {Sandbox("s2", false, 4)};
  observed_.containers = {Seen("c1", "a", State::kContainerExited, 137)};
  EXPECT_THAT(Words(Run()), ElementsAre("sandbox 5"));
}

TEST_F(DecideTest, ANewSandboxRunsEverythingAgainAndKeepsTheCount) {
  pod_ = PodForTest(Spec("Always", true));
  observed_.sandboxes = {Sandbox("s2", true, 1), Sandbox("s1", false)};
  observed_.containers = {Seen("c1", "a", State::kContainerExited, 137, 2, "s1"),
                          Seen("c2", "i1", State::kContainerExited, 0, 0, "s1")};
  EXPECT_THAT(Words(Run()), ElementsAre("start i1 1"));
}

TEST_F(DecideTest, DoesNotRenewASandboxInAHurryForEver) {
  observed_.sandboxes = {Sandbox("s2", false, 1)};
  observed_.sandboxes[0].created_at = kNow - 2 * kSecond;
  memory_.restarts.Next(kSandboxBackOff, kNow - 3 * kSecond, kNow - 2 * kSecond);
  Decision decision = Run();
  EXPECT_THAT(Words(decision), IsEmpty());
  EXPECT_EQ(decision.check_at, kNow + 8 * kSecond);
}

TEST_F(DecideTest, DoesNotRunAPodTwiceThatNeverRestarts) {
  pod_ = PodForTest(Spec("Never"));
  observed_.sandboxes = {Sandbox("s1", false)};
  observed_.containers = {Seen("c1", "a", State::kContainerExited, 137)};
  EXPECT_THAT(Words(Run()), IsEmpty());
  EXPECT_EQ(OutcomeOf(*pod_, observed_, kNow), PodOutcome::kFailed);
}

TEST_F(DecideTest, EndsThePodWhenAllIsDone) {
  pod_ = PodForTest(Spec("OnFailure"));
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.containers = {Seen("c1", "a", State::kContainerExited), Seen("c2", "b", State::kContainerExited)};
  EXPECT_EQ(OutcomeOf(*pod_, observed_, kNow), PodOutcome::kSucceeded);
  EXPECT_THAT(Words(Run()), ElementsAre("kill s1 grace=7"));
}

TEST_F(DecideTest, EndsThePodAtItsDeadline) {
  pod_ = PodForTest(Spec("Always") + "  activeDeadlineSeconds: 901\n");
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.containers = {Seen("c1", "a", State::kContainerRunning), Seen("c2", "b", State::kContainerRunning)};
  EXPECT_EQ(Run().check_at, kNow + kSecond);
  observed_.sandboxes[0].created_at -= kSecond;
  EXPECT_EQ(OutcomeOf(*pod_, observed_, kNow), PodOutcome::kDeadlineExceeded);
  EXPECT_THAT(Words(Run()), ElementsAre("kill c1 c2 s1 grace=7"));
}

TEST_F(DecideTest, StartsAContainerAfreshWhenItsDefinitionChanged) {
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.containers = {Seen("c1", "a", State::kContainerRunning), Seen("c2", "b", State::kContainerRunning)};
  for (ObservedContainer& seen : observed_.containers)
    seen.hash = ContainerHash(pod_->spec.containers[seen.name == "a" ? 0 : 1]);
  EXPECT_THAT(Words(Run()), IsEmpty());
  observed_.containers[0].hash = "00000000";
  EXPECT_THAT(Words(Run()), ElementsAre("kill c1 grace=7"));
  observed_.containers[0].state = State::kContainerExited;
  EXPECT_THAT(Words(Run()), ElementsAre("start a 1"));
}

TEST_F(DecideTest, KeepsOneDeadRunOfEachContainer) {
  observed_.sandboxes = {Sandbox("s2", true, 1), Sandbox("s1", false)};
  observed_.containers = {
      Seen("c4", "a", State::kContainerRunning, 0, 3, "s2"), Seen("c3", "b", State::kContainerRunning, 0, 0, "s2"),
      Seen("c2", "a", State::kContainerExited, 1, 2, "s2"), Seen("c1", "a", State::kContainerExited, 1, 1, "s1")};
  EXPECT_THAT(Words(Run()), ElementsAre("remove c1", "remove s1"));
}

TEST_F(DecideTest, EndsStepByStep) {
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.containers = {Seen("c1", "a", State::kContainerRunning), Seen("c2", "b", State::kContainerUnknown)};
  EXPECT_THAT(Words(Run(true)), ElementsAre("kill c1 c2 s1 grace=7"));
  observed_.sandboxes[0].ready = false;
  for (ObservedContainer& seen : observed_.containers) seen.state = State::kContainerExited;
  EXPECT_THAT(Words(Run(true)), ElementsAre("remove c1", "remove c2", "remove s1"));
  observed_ = {};
  EXPECT_TRUE(Run(true).gone);
  EXPECT_FALSE(Run(false).gone);
}

TEST_F(DecideTest, EndsAnOrphanWithTheGraceItWasMadeWith) {
  observed_.sandboxes = {Sandbox("s1", true)};
  observed_.grace_seconds = 55;
  auto orphan = [&] { return Words(Decide({.observed = observed_, .memory = memory_, .now = kNow})); };
  EXPECT_THAT(orphan(), ElementsAre("kill s1 grace=55"));
  observed_.grace_seconds = 0;
  EXPECT_THAT(orphan(), ElementsAre("kill s1 grace=2"));
  observed_.grace_seconds.reset();
  EXPECT_THAT(orphan(), ElementsAre("kill s1 grace=30"));
}

TEST_F(DecideTest, WaitsAfterAFailedStepOfThePod) {
  memory_.pod_fault = Fault{.reason = "create sandbox", .message = "no", .retry_at = kNow + kSecond};
  Decision decision = Run();
  EXPECT_THAT(Words(decision), IsEmpty());
  EXPECT_EQ(decision.check_at, kNow + kSecond);
  observed_.sandboxes = {Sandbox("s1", true)};
  EXPECT_THAT(Words(Run(true)), IsEmpty());
}

}  // namespace
}  // namespace portcullis::node
