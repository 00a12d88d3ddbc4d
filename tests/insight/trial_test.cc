// Programs under an asking filter, for real.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/clock.h"
#include "base/files.h"
#include "base/strings.h"
#include "insight/trial/run_trial.h"
#include "subject.h"

namespace portcullis::insight {
namespace {

const Subject under_filter("under-filter", [] {
  const auto text = base::ReadFile("/proc/self/cmdline");
  std::vector<std::string> words = base::Split(*text, '\0');
  words.pop_back();
  words.erase(words.begin());
  return UnderFilterMain(words);
});

// Makes each of three calls that the profile below denies; fails when unshare fails, and only then.
const Subject calls("calls", [] {
  errno = 0;
  if (::syscall(SYS_unshare, 0x10000000) != 0 && errno == EACCES) return 7;
  (void)::syscall(SYS_mount, nullptr, nullptr, nullptr, 0, nullptr);
  std::thread([] { (void)::syscall(SYS_getpgid, 0); }).join();
  return 0;
});

const Subject catches("catches", [] {
  ::signal(SIGSYS, [](int) { ::_exit(0); });
  ::syscall(SYS_getppid);
  return 0;
});

const Subject dies("dies", [] {
  ::syscall(SYS_getppid);
  return 0;
});

// Leaves a process behind.
const Subject daemon_subject("daemon", [] {
  if (::fork() == 0) {
    ::setsid();
    while (true) ::pause();
  }
  (void)::syscall(SYS_mount, nullptr, nullptr, nullptr, 0, nullptr);
  return 0;
});

// Serves until it is told to end; "healthy" is a file that it makes unless unshare fails.
const Subject server("server", [] {
  const char* file = ::getenv("HEALTHY");
  static bool over = false;
  ::signal(SIGTERM, [](int) { over = true; });
  if (::syscall(SYS_unshare, 0x10000000) == 0) (void)base::WriteFileAtomic(file, "yes");
  while (!over) ::usleep(1000);
  ::unlink(file);
  return 0;
});

// unshare(CLONE_NEWUSER): EACCES; mount: EPERM; getpgid: ENOSYS; getppid: kill.
const bpf::Program kProfile{
    {bpf::kLoad, 0, 0, 0},
    {bpf::kJumpEq, 0, 1, SYS_mount},
    {bpf::kReturn, 0, 0, SECCOMP_RET_ERRNO | EPERM},
    {bpf::kJumpEq, 0, 1, SYS_getpgid},
    {bpf::kReturn, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
    {bpf::kJumpEq, 0, 1, SYS_getppid},
    {bpf::kReturn, 0, 0, SECCOMP_RET_KILL_PROCESS},
    {bpf::kJumpEq, 0, 3, SYS_unshare},
    {bpf::kLoad, 0, 0, 16},
    {bpf::kJumpEq, 0, 1, 0x10000000},
    {bpf::kReturn, 0, 0, SECCOMP_RET_ERRNO | EACCES},
    {bpf::kReturn, 0, 0, SECCOMP_RET_ALLOW},
};

TrialOptions Options(const std::string& subject, const std::string& more = "A=1") {
  return {.argv = {"env", more, "PORTCULLIS_SUBJECT=" + subject, SubjectPath()},
          .profile = kProfile,
          .time = std::chrono::seconds(20),
          .settle = std::chrono::milliseconds(50),
          .helper = {SubjectPath()},
          .env = SubjectEnvironment("under-filter")};
}

std::vector<std::string> Names(const Denials& denials) {
  std::vector<std::string> out;
  for (const auto& [denied, facts] : denials) out.push_back(Text(denied));
  return out;
}

bool HasChildren() { return ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD; }

TEST(Trial, NothingDeniedShowsAllThatWouldBe) {
  Denials seen;
  const auto run = RunTrial(Options("calls"), DenyNothing(), &seen);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->exit_code, 0) << run->output;
  EXPECT_THAT(Names(run->denials), testing::IsEmpty());
  EXPECT_THAT(Names(seen), testing::UnorderedElementsAre("mount", "unshare(CLONE_NEWUSER)", "getpgid"));
  for (const auto& [denied, facts] : seen) {
    EXPECT_EQ(facts.count, 1u) << Text(denied);
    EXPECT_THAT(facts.executables, testing::ElementsAre(SubjectPath()));
    EXPECT_NE(facts.location.find("libc.so"), std::string::npos) << facts.location;
  }
}

TEST(Trial, OneAtATime) {
  Denials seen;
  const auto baseline = RunTrial(Options("calls"), DenyNothing(), &seen);
  ASSERT_TRUE(baseline) << baseline.error().message;
  ASSERT_EQ(seen.size(), 3u);
  for (const auto& [denied, facts] : seen) {
    const auto run = RunTrial(Options("calls"), DenyOnly(denied));
    ASSERT_TRUE(run) << run.error().message;
    EXPECT_THAT(Names(run->denials), testing::ElementsAre(Text(denied)));
    const TrialVerdict verdict = JudgeTrial(*baseline, *run);
    const bool fatal = denied.number == SYS_unshare;
    EXPECT_EQ(verdict.survival, fatal ? Survival::kFails : Survival::kSurvives) << Text(denied) << ": " << verdict.why;
  }
  const auto all = RunTrial(Options("calls"), DenyAll());
  ASSERT_TRUE(all);
  EXPECT_EQ(all->exit_code, 7);
}

TEST(Trial, KillsAreTheKernels) {
  for (const auto& [subject, signal] : {std::pair{"dies", SIGSYS}, {"catches", SIGKILL}}) {
    const auto run = RunTrial(Options(subject), DenyAll());
    ASSERT_TRUE(run) << run.error().message;
    EXPECT_EQ(run->exit_code, 128 + signal) << subject;
    EXPECT_THAT(Names(run->denials), testing::ElementsAre("getppid"));
  }
}

TEST(Trial, NothingIsLeftRunning) {
  const auto run = RunTrial(Options("daemon"), DenyAll());
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->exit_code, 0);
  EXPECT_FALSE(HasChildren());
}

TEST(Trial, ServersAreJudgedByTheirHealth) {
  const std::string file = "/tmp/portcullis-healthy-" + base::RandomHex(4);
  TrialOptions options = Options("server", "HEALTHY=" + file);
  options.health = {"test", "-e", file};
  Denials seen;
  const auto baseline = RunTrial(options, DenyNothing(), &seen);
  ASSERT_TRUE(baseline) << baseline.error().message;
  EXPECT_EQ(baseline->exit_code, std::nullopt);
  EXPECT_EQ(baseline->healthy, true);
  EXPECT_EQ(WhyNoBaseline(*baseline), "");
  ASSERT_THAT(Names(seen), testing::ElementsAre("unshare(CLONE_NEWUSER)"));
  options.time = std::chrono::seconds(2);
  const auto denied = RunTrial(options, DenyAll());
  ASSERT_TRUE(denied) << denied.error().message;
  EXPECT_EQ(denied->healthy, false);
  EXPECT_EQ(JudgeTrial(*baseline, *denied).survival, Survival::kFails);
  EXPECT_FALSE(base::Exists(file));
  EXPECT_FALSE(HasChildren());
}

TEST(Trial, WhatCannotStartIsToldApart) {
  TrialOptions options = Options("calls");
  options.argv = {"/nowhere/program"};
  const auto run = RunTrial(options, DenyAll());
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->exit_code, 127);
  EXPECT_NE(run->output.find("run /nowhere/program: No such file"), std::string::npos) << run->output;
  options.helper = {"/nowhere/helper"};
  EXPECT_FALSE(RunTrial(options, DenyAll()));
  options.helper = {"true"};
  const auto refused = RunTrial(options, DenyAll());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("cannot be installed"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace portcullis::insight
