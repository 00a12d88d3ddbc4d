#include "insight/preflight/judge.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "insight/preflight/test_targets.h"

namespace portcullis::insight {
namespace {

using syscalls::Arch;
using testing::HasSubstr;

Enforced Under(const std::string& name, const Capabilities& capabilities = {}, seccomp::KernelVersion kernel = {6, 1}) {
  const Target target = TargetOf(name, kernel);
  auto enforced = Enforce(target, BoundingOf(target, capabilities).value());
  EXPECT_TRUE(enforced);
  return *std::move(enforced);
}

// "breaks EPERM by the default action", "" when the call goes through.
std::string Words(const Enforced& enforced, const Call& call) {
  const auto judgement = Judge(enforced, nullptr, call);
  if (!judgement) return "";
  return std::string(NameOf(judgement->effect)) + (judgement->certain ? " " : " perhaps ") +
         TextOf(enforced, call, judgement->answer);
}

constexpr uint64_t kNewUser = 0x10000000;
constexpr auto kErrno = CallResult::kErrno;

TEST(Judge, TheRealCasesUnderContainerd) {
  const Enforced now = Under("containerd@2.2.4");
  EXPECT_EQ(Words(now, CallOf("read")), "");
  EXPECT_EQ(Words(now, CallOf("unshare", {{0, kNewUser}})), "breaks EPERM by the default action");
  EXPECT_EQ(Words(now, CallOf("clone", {{0, kNewUser | 17}})),
            "breaks EPERM by the default action, since no rule of this call fits its arguments");
  EXPECT_EQ(Words(now, CallOf("clone", {{0, 17}})), "");
  EXPECT_THAT(Words(now, CallOf("clone3")), HasSubstr("tolerated ENOSYS by /syscalls/"));
  EXPECT_EQ(Words(now, CallOf("perf_event_open", {}, CallResult::kAllowed, 0, "/usr/bin/perf")),
            "breaks EPERM by the default action");
  EXPECT_EQ(Words(now, CallOf("io_uring_setup", {}, CallResult::kAllowed, 0, "/usr/bin/node")),
            "tolerated EPERM by the default action");
  EXPECT_EQ(Words(Under("containerd@1.7.29"), CallOf("io_uring_setup")), "");
  EXPECT_EQ(Words(now, CallOf("mbind", {}, CallResult::kAllowed, 0, "/usr/sbin/mysqld")),
            "tolerated EPERM by the default action");
  EXPECT_EQ(Words(now, CallOf("keyctl")), "breaks EPERM by the default action");
  EXPECT_THAT(Words(now, CallOf("socket", {{0, 38}}, kErrno, EAFNOSUPPORT)), HasSubstr("tolerated EPERM"));
  EXPECT_THAT(Words(now, CallOf("socket", {{0, 40}})), HasSubstr("breaks EPERM"));
  EXPECT_EQ(Words(now, CallOf("socketcall", {}, CallResult::kAllowed, 0, "/bin/x", Arch::kX86)), "");
  EXPECT_EQ(Words(Under("docker@29.4.2"), CallOf("socketcall", {}, CallResult::kAllowed, 0, "/bin/x", Arch::kX86)),
            "breaks ENOSYS by /syscalls/2");
  EXPECT_EQ(Words(Under("docker@29.4.3"), CallOf("socketcall", {}, CallResult::kAllowed, 0, "/bin/x", Arch::kX86)), "");
}

TEST(Judge, RuntimeAndKernelAndCapabilitiesMatter) {
  EXPECT_EQ(Words(Under("cri-o@1.30"), CallOf("io_uring_setup")), "tolerated ENOSYS by the default action");
  EXPECT_EQ(Words(Under("containerd@2.2.4", {}, {4, 4}), CallOf("ptrace")), "breaks EPERM by the default action");
  EXPECT_EQ(Words(Under("containerd@2.2.4"), CallOf("ptrace")), "");
  EXPECT_EQ(Words(Under("containerd@2.2.4", {.add = {"perfmon"}, .drop = {}}), CallOf("perf_event_open")), "");
  EXPECT_EQ(Words(Under("containerd@2.2.4", {.add = {}, .drop = {"ALL"}}), CallOf("chroot")),
            "breaks EPERM by the default action");
  EXPECT_EQ(Words(Under("cri-o@1.36"), CallOf("chroot")),
            "breaks EPERM by /syscalls/" +
                std::to_string(Possible(Under("cri-o@1.36"), CallOf("chroot"))->front().decision.rule.value()));
  EXPECT_EQ(Words(Under("cri-o@1.36", {.add = {"SYS_CHROOT"}, .drop = {}}), CallOf("chroot")), "");
}

TEST(Judge, NewerCallsAreEnosysUnderRuncAndTheDefaultUnderCrun) {
  Target target = TargetOf("containerd@1.6.20");
  const Call call = CallOf("listns");
  for (const auto newer : {filter::NewerSyscalls::kEnosys, filter::NewerSyscalls::kAsWritten}) {
    target.newer = newer;
    const Enforced enforced = Enforce(target, BoundingOf(target, {}).value()).value();
    const bool runc = newer == filter::NewerSyscalls::kEnosys;
    EXPECT_EQ(Words(enforced, call),
              runc ? "breaks ENOSYS, newer than all that the profile names" : "breaks EPERM by the default action");
  }
}

TEST(Judge, UnknownArgumentsAreToldAsSuch) {
  const Enforced now = Under("containerd@2.2.4");
  const auto judgement = Judge(now, nullptr, CallOf("socket"));
  ASSERT_TRUE(judgement);
  EXPECT_FALSE(judgement->certain);
  EXPECT_EQ(judgement->effect, Effect::kUnknown);
  EXPECT_THAT(judgement->why, HasSubstr("arguments that were not seen"));
  // A log of this profile's denials: only a denial can have been meant.
  const auto logged = Judge(now, nullptr, CallOf("socket", {}, CallResult::kLogged), true);
  ASSERT_TRUE(logged);
  EXPECT_TRUE(logged->certain);
  EXPECT_EQ(logged->effect, Effect::kBreaks);
}

TEST(Judge, WhatFailedAnywayIsJudgedWithCare) {
  const Enforced now = Under("containerd@2.2.4");
  EXPECT_EQ(Words(now, CallOf("mount", {}, kErrno, EPERM)), "none EPERM by the default action");
  EXPECT_EQ(Words(now, CallOf("mount", {}, kErrno, EACCES)), "tolerated EPERM by the default action");
  EXPECT_EQ(Words(now, CallOf("mount", {}, kErrno, ENODEV)), "unknown EPERM by the default action");
  EXPECT_EQ(Words(now, CallOf("mount", {}, kErrno, 0)), "breaks EPERM by the default action");
  EXPECT_EQ(Words(now, CallOf("mount", {}, CallResult::kAllowed, EPERM)), "none EPERM by the default action");
  // clone3 unknown to an old kernel, then denied with EPERM: no thread starts any more.
  Enforced denied = now;
  for (auto& rule : denied.profile.syscalls) {
    if (rule.names == std::vector<std::string>{"clone3"}) rule.errno_ret = EPERM;
  }
  denied.behaviour = filter::Describe(denied.profile);
  EXPECT_THAT(Words(denied, CallOf("clone3", {}, kErrno, ENOSYS)), HasSubstr("breaks EPERM"));
  EXPECT_THAT(Words(now, CallOf("nfsservctl", {}, kErrno, ENOSYS)), HasSubstr("tolerated EPERM"));
  EXPECT_EQ(Words(now, CallOf("swapcontext", {}, CallResult::kKillProcess, 0, "/bin/x", Arch::kPpc64le)), "");
}

TEST(Judge, ForeignArchitecturesAreKilled) {
  Target target = TargetOf("containerd@2.2.4");
  target.profile.arch_map.clear();
  const Enforced enforced = Enforce(target, BoundingOf(target, {}).value()).value();
  EXPECT_EQ(Words(enforced, CallOf("read", {}, CallResult::kAllowed, 0, "/bin/x", Arch::kX86)),
            "breaks killed: the profile does not list SCMP_ARCH_X86");
  EXPECT_FALSE(Possible(enforced, CallOf("read", {}, CallResult::kAllowed, 0, "/bin/x", Arch::kAarch64)));
}

TEST(Judge, AnUpgradeIsJudgedByWhatChanges) {
  const Enforced before = Under("containerd@1.7.29");
  const Enforced after = Under("containerd@2.2.4");
  const auto judge = [&](const Call& call) { return Judge(after, &before, call); };
  EXPECT_FALSE(judge(CallOf("unshare", {{0, kNewUser}})));  // denied before and after
  EXPECT_FALSE(judge(CallOf("clone")));                     // the same rules, whatever the arguments
  const auto ring = judge(CallOf("io_uring_setup", {}, CallResult::kAllowed, 0, "/usr/bin/postgres"));
  ASSERT_TRUE(ring);
  EXPECT_EQ(ring->effect, Effect::kBreaks);
  const auto alg = judge(CallOf("socket", {{0, 38}}));
  ASSERT_TRUE(alg);
  EXPECT_EQ(alg->effect, Effect::kTolerated);
}

}  // namespace
}  // namespace portcullis::insight
