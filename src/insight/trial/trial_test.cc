#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>

#include <cerrno>

#include "insight/trial/denials.h"
#include "insight/trial/junit.h"
#include "insight/trial/observed_filter.h"
#include "insight/trial/tolerance.h"

namespace portcullis::insight {
namespace {

constexpr uint32_t kX86_64 = 0xc000003e;

// mount: EPERM; unshare(CLONE_NEWUSER): EACCES; getppid: kill; getpgid: trap; getsid: log; personality: trace.
const bpf::Program kProfile{
    {bpf::kLoad, 0, 0, 0},
    {bpf::kJumpEq, 0, 1, 165},
    {bpf::kReturn, 0, 0, SECCOMP_RET_ERRNO | EPERM},
    {bpf::kJumpEq, 0, 3, 272},
    {bpf::kLoad, 0, 0, 16},
    {bpf::kJumpEq, 0, 7, 0x10000000},
    {bpf::kReturn, 0, 0, SECCOMP_RET_ERRNO | EACCES},
    {bpf::kJumpEq, 0, 1, 110},
    {bpf::kReturn, 0, 0, SECCOMP_RET_KILL_PROCESS},
    {bpf::kJumpEq, 0, 1, 121},
    {bpf::kReturn, 0, 0, SECCOMP_RET_TRAP},
    {bpf::kJumpEq, 0, 1, 124},
    {bpf::kReturn, 0, 0, SECCOMP_RET_LOG},
    {bpf::kJumpEq, 0, 1, 135},
    {bpf::kReturn, 0, 0, SECCOMP_RET_TRACE | 7},
    {bpf::kReturn, 0, 0, SECCOMP_RET_ALLOW},
};

bpf::Data Data(uint32_t number, uint64_t first = 0) { return {.arch = kX86_64, .nr = number, .args = {first}}; }

TEST(ObservedFilter, AsksWhereTheProfileDenies) {
  const auto asking = AskInsteadOfDeny(kProfile);
  ASSERT_TRUE(asking) << asking.error().message;
  ASSERT_TRUE(bpf::Check(*asking));
  const auto asked = [&](const bpf::Data& data) { return bpf::Run(*asking, data).value; };
  EXPECT_EQ(asked(Data(kHelloCall)), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(asked(Data(165)), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(asked(Data(272, 0x10000000)), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(asked(Data(272, 1)), SECCOMP_RET_ALLOW);
  EXPECT_EQ(asked(Data(110)), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(asked(Data(121)), SECCOMP_RET_TRAP);
  EXPECT_EQ(asked(Data(124)), SECCOMP_RET_USER_NOTIF);
  EXPECT_EQ(asked(Data(0)), SECCOMP_RET_ALLOW);
}

TEST(ObservedFilter, WhatCannotBeTriedIsRefused) {
  EXPECT_EQ(AskInsteadOfDeny({{bpf::kReturn, 0, 0, SECCOMP_RET_USER_NOTIF}}).error().code, Code::kFailedPrecondition);
  const bpf::Program longest(bpf::kMaxInstructions, {bpf::kReturn, 0, 0, SECCOMP_RET_ALLOW});
  EXPECT_EQ(AskInsteadOfDeny(longest).error().code, Code::kResourceExhausted);
}

TEST(ObservedFilter, Answers) {
  EXPECT_EQ(AnswerOf(kProfile, Data(0)).result, CallResult::kAllowed);
  EXPECT_EQ(AnswerOf(kProfile, Data(165)), (ProfileAnswer{CallResult::kErrno, EPERM, false}));
  EXPECT_EQ(AnswerOf(kProfile, Data(272, 0x10000000)), (ProfileAnswer{CallResult::kErrno, EACCES, true}));
  EXPECT_EQ(AnswerOf(kProfile, Data(110)).result, CallResult::kKillProcess);
  EXPECT_EQ(AnswerOf(kProfile, Data(124)).result, CallResult::kLogged);
  EXPECT_EQ(AnswerOf(kProfile, Data(135)), (ProfileAnswer{CallResult::kErrno, ENOSYS, false})) << "no tracer";
}

TEST(ObservedFilter, CasesAndTheirNames) {
  const auto text = [](const bpf::Data& data) { return Text(CaseOf(data, AnswerOf(kProfile, data))); };
  EXPECT_EQ(text(Data(272, 0x10000000)), "unshare(CLONE_NEWUSER)");
  EXPECT_EQ(text(Data(165, 7)), "mount") << "the profile does not look at its arguments";
  EXPECT_EQ(Text(CaseOf(Data(165, 7), AnswerOf(kProfile, Data(165)))),
            Text(CaseOf(Data(165, 9), AnswerOf(kProfile, Data(165)))));
  EXPECT_EQ(Text(CallOf(Data(165, 7), AnswerOf(kProfile, Data(165)))), "mount(_, _, _, 0)");
  EXPECT_EQ(Text(DeniedCase{.audit_arch = 0x40000003, .number = 102}), "socketcall (x86)");
  EXPECT_EQ(Text(DeniedCase{.audit_arch = 1, .number = 7}), "syscall_7 (architecture 1)");
  EXPECT_EQ(Text(ProfileAnswer{CallResult::kErrno, EPERM, false}), "errno EPERM");
  EXPECT_EQ(Text(ProfileAnswer{CallResult::kErrno, 4000, false}), "errno 4000");
  EXPECT_EQ(Text(ProfileAnswer{CallResult::kKillProcess, 0, false}), "killProcess");
}

TEST(Denials, BecomeEvidence) {
  Denials denials;
  const DeniedCase denied = CaseOf(Data(272, 0x10000000), AnswerOf(kProfile, Data(272, 0x10000000)));
  AddDenial(denials, denied, "/bin/a", "");
  AddDenial(denials, denied, "/bin/b", "/lib/x.so(+0x1)");
  for (int i = 0; i < 100; ++i) AddDenial(denials, denied, "/bin/" + std::to_string(i), "");
  EXPECT_EQ(denials[denied].count, 102u);
  EXPECT_EQ(denials[denied].executables.size(), DenialFacts::kMaxExecutables);
  const Evidence evidence = ToEvidence(denials, "suite");
  ASSERT_EQ(evidence.calls().size(), 1u);
  const auto& [call, facts] = *evidence.calls().begin();
  EXPECT_EQ(call.number, 272u);
  EXPECT_EQ(call.result, CallResult::kErrno);
  EXPECT_EQ(call.error, EACCES);
  EXPECT_EQ(facts.count, 102u);
  EXPECT_EQ(facts.location, "/lib/x.so(+0x1)");
  EXPECT_EQ(evidence.workloads()[0].command, "suite");
}

TEST(Tolerance, Table) {
  Denials some;
  AddDenial(some, {.number = 165}, "", "");
  const RunOutcome job{.exit_code = 0};
  const RunOutcome server{.healthy = true};
  struct Case {
    RunOutcome baseline, trial;
    Survival want;
    const char* why;
  };
  const Case cases[] = {
      {job, {.exit_code = 0, .denials = some}, Survival::kSurvives, "exit status 0"},
      {job, {.exit_code = 1, .denials = some}, Survival::kFails, "exit status 1 instead of exit status 0"},
      {job, {.exit_code = 159, .denials = some}, Survival::kFails, "killed by signal 31 instead of exit status 0"},
      {job, {.denials = some}, Survival::kFails, "still running instead of exit status 0"},
      {job, {.exit_code = 1}, Survival::kNotReached, "it did not make the call this time"},
      {server, {.healthy = true, .denials = some}, Survival::kSurvives, "still running, healthy"},
      {server, {.healthy = false, .denials = some}, Survival::kFails, "the health command fails"},
      {server,
       {.exit_code = 1, .healthy = false, .denials = some},
       Survival::kFails,
       "exit status 1 instead of still running"},
      {{}, {.denials = some}, Survival::kSurvives, "still running"},
  };
  for (const Case& one : cases) {
    const TrialVerdict verdict = JudgeTrial(one.baseline, one.trial);
    EXPECT_EQ(verdict.survival, one.want) << one.why;
    EXPECT_EQ(verdict.why, one.why);
  }
  EXPECT_EQ(WhyNoBaseline(job), "");
  EXPECT_EQ(WhyNoBaseline(server), "");
  EXPECT_EQ(WhyNoBaseline({.exit_code = 3}), "with nothing denied it ends with exit status 3");
  EXPECT_EQ(WhyNoBaseline({.healthy = false}), "the health command fails with nothing denied");
  EXPECT_NE(WhyNoBaseline({.exit_code = 0, .healthy = true}), "");
}

TEST(JUnit, EverySuite) {
  const auto report = ParseJUnit(
      "<?xml version='1.0'?><testsuites><testsuite name='a'><testcase classname='c' name='good'/>"
      "<testcase classname='c' name='bad'><failure message='wrong&#10;more'>trace</failure></testcase>"
      "<testcase name='broken'><error>\n  Traceback\n  x</error></testcase>"
      "<testsuite><testcase name='skipped'><skipped/></testcase></testsuite></testsuite></testsuites>",
      "r.xml");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->tests, 4u);
  EXPECT_EQ(report->skipped, 1u);
  EXPECT_THAT(report->failures,
              testing::ElementsAre(SuiteFailure{"c.bad", "wrong"}, SuiteFailure{"broken", "Traceback"}));
  EXPECT_EQ(ParseJUnit("<testsuite><testcase name='x'/></testsuite>", "r")->tests, 1u);
}

TEST(JUnit, HostileText) {
  EXPECT_EQ(ParseJUnit("<html/>", "r.xml").error().message,
            "r.xml: is no JUnit report: its root is <html>, want <testsuites> or <testsuite>");
  EXPECT_TRUE(ParseJUnit("<testsuite><testcase", "r.xml").error().message.starts_with("r.xml: byte "));
  EXPECT_FALSE(ParseJUnit("", "r.xml"));
  EXPECT_FALSE(ParseJUnit(std::string("\0\xff\xfe", 3), "r.xml"));
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<testsuite>";
  for (int i = 0; i < 1000; ++i) deep += "</testsuite>";
  EXPECT_EQ(ParseJUnit(deep, "r.xml").error().message, "r.xml: suites are nested more than 16 deep");
  // Entities are not expanded: neither a file's text nor a billion laughs.
  const auto entity = ParseJUnit(
      "<!DOCTYPE t [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><testsuite><testcase "
      "name='&x;'><failure/></testcase></testsuite>",
      "r.xml");
  ASSERT_TRUE(entity);
  EXPECT_EQ(entity->failures[0].name, "&x;");
}

}  // namespace
}  // namespace portcullis::insight
