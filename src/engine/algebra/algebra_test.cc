#include <gtest/gtest.h>

#include <cerrno>
#include <random>

#include "base/strings.h"
#include "engine/algebra/argument_rules.h"
#include "engine/algebra/delta.h"
#include "engine/algebra/lint.h"
#include "engine/algebra/operations.h"
#include "engine/filter/prove.h"
#include "engine/seccomp/capabilities.h"
#include "engine/seccomp/library.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::algebra {
namespace {

using filter::Arch;
using seccomp::Action;
using seccomp::Arg;
using seccomp::CompareOp;
using seccomp::ResolvedRule;

constexpr Arch kNative = Arch::kX86_64;
constexpr uint32_t kAllow = filter::kReturnAllow;

ResolvedProfile DefaultOf(const std::string& name,
                          std::vector<std::string> caps = seccomp::DockerDefaultCapabilities()) {
  const auto found = seccomp::FindDefaultProfile(name);
  EXPECT_TRUE(found) << name;
  auto resolved = seccomp::Resolve(found->profile, {.bounding = std::move(caps),
                                                    .host = kNative,
                                                    .kernel = seccomp::KernelVersion{6, 18},
                                                    .flavour = found->flavour});
  EXPECT_TRUE(resolved) << name;
  return *resolved;
}

ResolvedProfile Deny(std::vector<ResolvedRule> rules, std::vector<Arch> archs = {}) {
  return {.default_action = Action::kErrno,
          .default_errno_ret = {},
          .architectures = std::move(archs),
          .flags = {},
          .listener_path = "",
          .listener_metadata = "",
          .syscalls = std::move(rules)};
}

ResolvedRule Rule(std::string name, std::vector<Arg> args = {}, Action action = Action::kAllow,
                  std::optional<uint32_t> errno_ret = {}) {
  return {.names = {std::move(name)}, .action = action, .errno_ret = errno_ret, .args = std::move(args)};
}

Arg When(uint32_t index, CompareOp op, uint64_t value, uint64_t value_two = 0) {
  return {.index = index, .value = value, .value_two = value_two, .op = op};
}

uint32_t AnswerOf(const ResolvedProfile& profile, const std::string& name, std::array<uint64_t, 6> args = {},
                  Arch arch = kNative) {
  const auto number = syscalls::NumberOf(arch, name);
  EXPECT_TRUE(number) << name;
  const auto behaviour = filter::Describe(profile, {.native = kNative, .newer = filter::NewerSyscalls::kEnosys});
  return filter::Answer(behaviour, syscalls::InfoOf(arch).audit_arch, number.value_or(0), args);
}

bool Equal(const ResolvedProfile& first, const ResolvedProfile& second) {
  for (const auto newer : {filter::NewerSyscalls::kEnosys, filter::NewerSyscalls::kAsWritten}) {
    const auto verdict = filter::Compare(filter::Describe(first, {.native = kNative, .newer = newer}),
                                         filter::Describe(second, {.native = kNative, .newer = newer}));
    if (!verdict || !verdict->equal) return false;
  }
  return true;
}

TEST(UnionTest, AddsWhatTheSecondPermitsOnAllArchitecturesOfTheFirst) {
  const ResolvedProfile base = DefaultOf("containerd");
  const auto merged =
      Union(base, Deny({Rule("io_uring_setup"), Rule("personality", {When(0, CompareOp::kEqual, 1)})}), kNative);
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(AnswerOf(base, "io_uring_setup"), filter::kReturnErrno | EPERM);
  EXPECT_EQ(AnswerOf(*merged, "io_uring_setup"), kAllow);
  EXPECT_EQ(AnswerOf(*merged, "io_uring_setup", {}, Arch::kX86), kAllow);
  EXPECT_EQ(AnswerOf(*merged, "personality", {1}), kAllow);
  EXPECT_EQ(AnswerOf(*merged, "personality", {2}), filter::kReturnErrno | EPERM);
  EXPECT_EQ(AnswerOf(*merged, "personality", {0x20008}), kAllow);
  EXPECT_EQ(AnswerOf(*merged, "clone3"), filter::kReturnErrno | ENOSYS);
  EXPECT_TRUE(IsSubset(base, *merged, {.native = kNative})->subset);
}

TEST(IntersectTest, TakesTheStricterOfOverlappingArgumentTests) {
  const auto both = Intersect(Deny({Rule("socket", {When(0, CompareOp::kGreaterEqual, 10)})}),
                              Deny({Rule("socket", {When(0, CompareOp::kLess, 20)})}), kNative);
  ASSERT_TRUE(both) << both.error().message;
  for (const uint64_t family : {uint64_t{9}, uint64_t{20}, uint64_t{0x10000000a}, UINT64_MAX}) {
    EXPECT_EQ(AnswerOf(*both, "socket", {family}), filter::kReturnErrno | EPERM) << family;
  }
  for (const uint64_t family : {10, 15, 16, 19}) EXPECT_EQ(AnswerOf(*both, "socket", {family}), kAllow) << family;
  // No rule tests one argument twice: a runtime would read that as "either".
  for (const ResolvedRule& rule : both->syscalls) EXPECT_LE(rule.args.size(), 1U);
}

TEST(UnionTest, OfDifferentDefaultsIsExact) {
  const ResolvedProfile containerd = DefaultOf("containerd");
  const ResolvedProfile crio = DefaultOf("cri-o");
  const auto merged = Union(containerd, crio, kNative);
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_TRUE(IsSubset(containerd, *merged, {.native = kNative, .newer = filter::NewerSyscalls::kAsWritten})->subset);
  EXPECT_TRUE(IsSubset(crio, *merged, {.native = kNative, .newer = filter::NewerSyscalls::kAsWritten})->subset);
  // The first's errno holds where both deny.
  EXPECT_EQ(AnswerOf(*merged, "io_uring_setup"), filter::kReturnErrno | EPERM);
  EXPECT_EQ(AnswerOf(*merged, "socket", {38}), kAllow) << "CRI-O permits AF_ALG";
  EXPECT_EQ(AnswerOf(*merged, "socket", {40}), filter::kReturnErrno | EPERM) << "neither permits AF_VSOCK";
}

TEST(SubsetTest, GivesAnExampleOfEveryCallBeyond) {
  const ResolvedProfile base = DefaultOf("containerd");
  const auto verdict = IsSubset(DefaultOf("containerd@1.7.13"), base, {.native = kNative});
  ASSERT_TRUE(verdict) << verdict.error().message;
  EXPECT_FALSE(verdict->subset);
  bool saw_alg = false;
  for (const auto& difference : verdict->beyond) {
    EXPECT_GT(PermissivenessOf(difference.from_first), PermissivenessOf(difference.from_second));
    saw_alg = saw_alg || (difference.first <= 41 && 41 <= difference.last && difference.args[0] == 38);
  }
  EXPECT_TRUE(saw_alg) << "1.7.13 permits socket(AF_ALG)";
}

TEST(SubtractTest, LeavesOnlyWhatTheSecondLacks) {
  const auto rest = Subtract(DefaultOf("containerd@1.7.13"), DefaultOf("containerd"), kNative);
  ASSERT_TRUE(rest) << rest.error().message;
  EXPECT_EQ(AnswerOf(*rest, "socket", {38}), kAllow);
  EXPECT_EQ(AnswerOf(*rest, "socket", {2}), filter::kReturnErrno | EPERM);
  EXPECT_EQ(AnswerOf(*rest, "read"), filter::kReturnErrno | EPERM);
}

TEST(MinimiseTest, EveryDefaultStaysEqualAndGetsNoLonger) {
  for (const std::string& runtime : seccomp::LibraryRuntimes()) {
    const ResolvedProfile profile = DefaultOf(runtime);
    const auto small = Minimise(profile, kNative);
    ASSERT_TRUE(small) << runtime << ": " << small.error().message;
    EXPECT_TRUE(Equal(profile, *small)) << runtime;
    EXPECT_LE(small->syscalls.size(), profile.syscalls.size()) << runtime;
  }
}

TEST(MinimiseTest, DropsRulesThatNeverDecide) {
  const auto small = Minimise(Deny({Rule("read"), Rule("read", {}, Action::kLog), Rule("write", {}, Action::kErrno),
                                    Rule("socket", {When(0, CompareOp::kEqual, 1)}),
                                    Rule("socket", {When(0, CompareOp::kLess, 5)}), Rule("getpid")}),
                              kNative);
  ASSERT_TRUE(small) << small.error().message;
  ASSERT_EQ(small->syscalls.size(), 2U);
  size_t names = 0;
  for (const ResolvedRule& rule : small->syscalls) names += rule.names.size();
  EXPECT_EQ(names, 3U);
}

TEST(LogTwinTest, LogsDenialsAndKeepsEnosysOnPurpose) {
  for (const char* name : {"containerd", "cri-o", "docker"}) {
    const auto twin = LogTwin(DefaultOf(name), kNative);
    ASSERT_TRUE(twin) << name << ": " << twin.error().message;
    constexpr uint32_t kLogged = 0x7ffc0000;
    EXPECT_EQ(AnswerOf(twin->profile, "kexec_load"), kLogged) << name;
    EXPECT_EQ(AnswerOf(twin->profile, "io_uring_setup"), kLogged) << name;
    EXPECT_EQ(AnswerOf(twin->profile, "read"), kAllow) << name;
    EXPECT_EQ(AnswerOf(twin->profile, "socket", {40}), kLogged) << name;
    EXPECT_EQ(AnswerOf(twin->profile, "clone3"), filter::kReturnErrno | ENOSYS) << name;
    ASSERT_EQ(twin->kept.size(), 1U) << name << ": " << base::Join(twin->kept, "; ");
    EXPECT_EQ(twin->kept[0].substr(0, 7), "clone3:");
  }
}

TEST(LogTwinTest, NeverPermitsSilentlyWhatAnEarlierRuleDenies) {
  // The denial comes first; without care its LOG equals the default, vanishes, and the ALLOW below wins.
  const auto twin = LogTwin(Deny({Rule("socket", {When(0, CompareOp::kEqual, 7)}, Action::kErrno, 13),
                                  Rule("socket", {When(0, CompareOp::kLess, 10)})}),
                            kNative);
  ASSERT_TRUE(twin) << twin.error().message;
  EXPECT_EQ(AnswerOf(twin->profile, "socket", {7}), 0x7ffc0000U);
  EXPECT_EQ(AnswerOf(twin->profile, "socket", {6}), kAllow);
  EXPECT_EQ(AnswerOf(twin->profile, "socket", {11}), 0x7ffc0000U);
}

TEST(CombineTest, RefusesWhatOneProfileCannotSay) {
  // read would be allowed on x86_64 alone, but a name means all architectures of the profile.
  const auto merged =
      Union(Deny({Rule("read")}, {Arch::kX86_64}), Deny({Rule("write")}, {Arch::kX86_64, Arch::kX86}), kNative);
  ASSERT_FALSE(merged);
  EXPECT_NE(merged.error().message.find("read on SCMP_ARCH_X86"), std::string::npos) << merged.error().message;
}

TEST(StackTest, TwoProfilesWhereOneCannotSayIt) {
  // 40 bits, each of which must be set in one rule or clear in the other: far beyond the rules that a profile can list.
  std::vector<ResolvedRule> first, second;
  for (uint32_t bit = 0; bit < 20; ++bit) {
    first.push_back(Rule("ioctl", {When(1, CompareOp::kMaskedEqual, 3ULL << (2 * bit), 1ULL << (2 * bit))}));
    second.push_back(Rule("ioctl", {When(1, CompareOp::kMaskedEqual, 3ULL << (2 * bit), 2ULL << (2 * bit))}));
  }
  const Stacked stacked = IntersectOrStack(Deny(first), Deny(second), kNative);
  EXPECT_EQ(stacked.profiles.size(), 2U);
  EXPECT_NE(stacked.why.find("ioctl"), std::string::npos) << stacked.why;
}

Delta ParsedDelta(const std::string& text) {
  auto delta = ParseDelta(text, "x.yaml");
  EXPECT_TRUE(delta) << delta.error().message;
  return delta ? *std::move(delta) : Delta{};
}

TEST(DeltaTest, AllowsAndDeniesOnTopOfTheBase) {
  const Delta delta = ParsedDelta(R"(
base: RuntimeDefault@containerd-2.2
allow:
  - io_uring_setup
  - clone3
  - names: [personality]
    args: [{index: 0, value: 1, op: SCMP_CMP_EQ}]
deny:
  - names: [socket]
    args: [{index: 0, value: 16, op: SCMP_CMP_EQ}]
    errno: EAFNOSUPPORT
  - read
)");
  EXPECT_EQ(delta.base, "RuntimeDefault@containerd-2.2");
  const auto profile = Apply(DefaultOf("containerd@2.2.4"), delta, kNative);
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(AnswerOf(*profile, "io_uring_setup"), kAllow);
  EXPECT_EQ(AnswerOf(*profile, "clone3"), kAllow) << "the base denies it in a rule of its own";
  EXPECT_EQ(AnswerOf(*profile, "personality", {1}), kAllow);
  EXPECT_EQ(AnswerOf(*profile, "personality", {2}), filter::kReturnErrno | EPERM);
  EXPECT_EQ(AnswerOf(*profile, "socket", {16}), filter::kReturnErrno | EAFNOSUPPORT);
  EXPECT_EQ(AnswerOf(*profile, "socket", {17}), kAllow);
  EXPECT_EQ(AnswerOf(*profile, "socket", {40}), filter::kReturnErrno | EPERM);
  EXPECT_EQ(AnswerOf(*profile, "read"), filter::kReturnErrno | EPERM);
}

TEST(DeltaTest, TheConditionalFormEqualsTheResolvedOneForEveryContainer) {
  const auto base = seccomp::FindDefaultProfile("docker");
  const Delta delta = ParsedDelta("allow: [io_uring_setup, clone3, bpf]\ndeny: [ptrace]\n");
  const auto profile = ApplyToProfile(base->profile, delta, base->flavour);
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_TRUE(seccomp::UsesConditionalDialect(*profile));
  // Denying some arguments of a call that is allowed as a whole takes more than a rule in front.
  const Delta partly = ParsedDelta("deny: [{names: [read], args: [{index: 0, value: 3, op: SCMP_CMP_EQ}]}]");
  const auto refused = ApplyToProfile(base->profile, partly, base->flavour);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("read"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(Apply(DefaultOf("docker"), partly, kNative));
}

TEST(DeltaTest, TellsEntriesThatTheBaseHasCaughtUpWith) {
  const auto found =
      Superfluous(DefaultOf("containerd"), ParsedDelta("allow: [read, io_uring_setup]\ndeny: [reboot]"), kNative);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, (std::vector<std::string>{"allow /0 (read)", "deny /0 (reboot)"}));
}

TEST(DeltaTest, RefusesWhatItDoesNotUnderstand) {
  struct Case {
    const char* text;
    const char* says;
  };
  for (const auto& [text, says] : {
           Case{"base: x", "neither allows nor denies"},
           Case{"allow: [io_uring_setpu]", "did you mean io_uring_setup?"},
           Case{"permit: [read]", "unknown key \"permit\""},
           Case{"allow: read", "/allow: want a list"},
           Case{"allow: [3]", "/allow/0"},
           Case{"allow: [{names: [read], action: SCMP_ACT_LOG}]", "/allow/0/action"},
           Case{"allow: [{names: [read], errno: EPERM}]", "takes none"},
           Case{"deny: [{names: [read], errno: EWHAT}]", "EWHAT"},
           Case{"allow: [{names: [read], args: [{index: 9, value: 1, op: SCMP_CMP_EQ}]}]", "index"},
           Case{"base: [x]\nallow: [read]", "/base"},
           Case{"- read", "want an object"},
       }) {
    const auto delta = ParseDelta(text, "x.yaml");
    ASSERT_FALSE(delta) << text;
    EXPECT_NE(delta.error().message.find(says), std::string::npos) << text << ": " << delta.error().message;
  }
}

std::string Messages(const Diagnostics& findings) {
  std::string text;
  for (const Diagnostic& finding : findings) text += finding.field + " " + finding.message + "\n";
  return text;
}

TEST(LintAnswersTest, TellsWaysAround) {
  struct Case {
    std::vector<ResolvedRule> rules;
    const char* says;
  };
  for (const auto& [rules, says] : {
           Case{{Rule("socket", {When(0, CompareOp::kEqual, 1)}), Rule("socketcall")},
                "socketcall is permitted on SCMP_ARCH_X86"},
           Case{{Rule("io_uring_setup")}, "does the work of openat"},
           Case{{Rule("clone", {When(0, CompareOp::kMaskedEqual, 0x7e020000)}), Rule("clone3")}, "clone3 is permitted"},
           Case{{Rule("clone")}, "clone3 is denied with SCMP_ACT_ERRNO(1)"},
           Case{{Rule("read")}, "every OCI runtime cannot start"},
           Case{{Rule("execve")}, "runc 1.1.5 to 1.1.15 cannot start"},
           Case{{Rule("execve"), Rule("close"), Rule("futex"), Rule("getdents64"), Rule("openat"), Rule("fstatfs"),
                 Rule("fstat"), Rule("write")},
                "runc 1.3.6 calls statx after the filter is on"},
           Case{{Rule("read"), Rule("read", {}, Action::kLog)}, "/syscalls/1 never decides"},
       }) {
    const std::string found = Messages(LintAnswers(Deny(rules, {Arch::kX86_64, Arch::kX86}), "x.json", kNative));
    EXPECT_NE(found.find(says), std::string::npos) << says << "\n" << found;
    EXPECT_EQ(found.find("32-bit"), std::string::npos);
  }
  EXPECT_NE(Messages(LintAnswers(Deny({Rule("read")}), "x.json", kNative)).find("32-bit programs"), std::string::npos);
  const std::string default_findings = Messages(LintAnswers(DefaultOf("containerd"), "x.json", kNative));
  EXPECT_EQ(default_findings.find("cannot start"), std::string::npos) << default_findings;
}

TEST(LintAgainstTest, NamesTheCallsThatAreWeaker) {
  const auto found = LintAgainst(DefaultOf("containerd@1.7.13"), "old", DefaultOf("containerd"), "containerd", kNative);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_NE(Messages(*found).find("weaker than containerd: socket on SCMP_ARCH_X86_64 for some arguments gets "
                                  "SCMP_ACT_ALLOW instead of SCMP_ACT_ERRNO(1)"),
            std::string::npos)
      << Messages(*found);
}

// Random rules of all operators, also overlapping: each operation against the answers of both sides, at boundaries.
TEST(CombineTest, AgreesWithBothSidesOnRandomRules) {
  std::mt19937_64 random(20261124);
  const std::array<uint64_t, 12> values{0,          1,          2,           3,           38,         40,
                                        0x7e020000, UINT32_MAX, 0x100000000, 0x100000028, 1ULL << 63, UINT64_MAX};
  const auto value = [&] { return values[random() % values.size()]; };
  const auto profile = [&] {
    std::vector<ResolvedRule> rules;
    const size_t count = 1 + random() % 3;
    for (size_t i = 0; i < count; ++i) {
      std::vector<Arg> args;
      const size_t tests = 1 + random() % 2;
      for (size_t t = 0; t < tests; ++t) {
        args.push_back(
            When(static_cast<uint32_t>(random() % 2), static_cast<CompareOp>(random() % 7), value(), value()));
      }
      const Action action = std::array{Action::kAllow, Action::kErrno, Action::kLog}[random() % 3];
      rules.push_back(Rule("socket", args, action,
                           action == Action::kErrno ? std::optional<uint32_t>(random() % 3) : std::nullopt));
    }
    return Deny(rules, {Arch::kX86_64, Arch::kX86});
  };
  size_t exact = 0;
  for (int round = 0; round < 400; ++round) {
    const ResolvedProfile a = profile();
    const ResolvedProfile b = profile();
    const auto either = Union(a, b, kNative);
    const auto both = Intersect(a, b, kNative);
    if (!either || !both) continue;
    ++exact;
    for (const Arch arch : {Arch::kX86_64, Arch::kX86}) {
      for (const uint64_t x : values) {
        for (const uint64_t y : values) {
          const uint32_t one = AnswerOf(a, "socket", {x, y}, arch);
          const uint32_t other = AnswerOf(b, "socket", {x, y}, arch);
          ASSERT_EQ(AnswerOf(*either, "socket", {x, y}, arch), MorePermissive(one, other)) << round;
          ASSERT_EQ(AnswerOf(*both, "socket", {x, y}, arch), LessPermissive(one, other)) << round;
        }
      }
    }
  }
  EXPECT_GT(exact, 300U);
}

}  // namespace
}  // namespace portcullis::algebra
