// Our filter, the reference semantics and libseccomp's filter on random profiles, at the boundaries of their rules; and
// where libseccomp 2.5.4 is wrong.
#include <gtest/gtest.h>

#include <random>

#include "engine/filter/compile.h"
#include "engine/filter/prove.h"
#include "engine/seccomp/evaluate.h"
#include "engine/syscalls/syscalls.h"
#include "host/libseccomp/libseccomp_filter.h"

namespace portcullis {
namespace {

using seccomp::Action;
using seccomp::Arg;
using seccomp::CompareOp;
using seccomp::ResolvedProfile;
using syscalls::Arch;

const filter::Options kAsWritten{.native = syscalls::NativeArch(), .newer = filter::NewerSyscalls::kAsWritten};

Arg When(uint32_t index, CompareOp op, uint64_t value, uint64_t value_two = 0) {
  return {.index = index, .value = value, .value_two = value_two, .op = op};
}

ResolvedProfile Socket(const std::vector<std::vector<Arg>>& rules) {
  ResolvedProfile profile;
  profile.architectures = {Arch::kX86_64, Arch::kX86, Arch::kX32};
  for (const auto& args : rules) {
    profile.syscalls.push_back({.names = {"accept4"}, .action = Action::kAllow, .errno_ret = {}, .args = args});
  }
  return profile;
}

// What rules may have, for libseccomp to be right about them.
struct Kind {
  const char* name;
  std::vector<CompareOp> ops;
  std::vector<uint64_t> values;
  size_t most_tests;
  bool libseccomp_is_right;
};

const std::vector<CompareOp> kAllOps{CompareOp::kNotEqual,   CompareOp::kLess,    CompareOp::kLessEqual,
                                     CompareOp::kEqual,      CompareOp::kGreater, CompareOp::kGreaterEqual,
                                     CompareOp::kMaskedEqual};
const std::vector<uint64_t> kNarrow{0, 1, 2, 3, 7, 38, 40, 0x7e020000, 0x7fffffff, UINT32_MAX};
const std::vector<uint64_t> kWide{0, 1, 2, 40, UINT32_MAX, 0x100000000, 0x100000028, 1ULL << 63, UINT64_MAX};

std::vector<uint64_t> Around(const std::vector<uint64_t>& values) {
  std::vector<uint64_t> points;
  for (const uint64_t value : values) points.insert(points.end(), {value - 1, value, value + 1});
  return points;
}

// True when the program says what the profile says about accept4 on x86_64, at all pairs of points.
struct Tally {
  size_t too_permissive = 0;
  size_t too_strict = 0;
};
Tally CountWrong(const bpf::Program& program, const ResolvedProfile& profile, const std::vector<uint64_t>& points) {
  Tally tally;
  const uint32_t number = *syscalls::NumberOf(Arch::kX86_64, "accept4");
  for (const uint64_t x : points) {
    for (const uint64_t y : points) {
      const auto decision = seccomp::Evaluate(profile, Arch::kX86_64, number, {x, y});
      const uint32_t wanted = filter::ToReturnValue(decision.action, decision.data);
      const bpf::Data call{.arch = syscalls::InfoOf(Arch::kX86_64).audit_arch, .nr = number, .args = {x, y}};
      const uint32_t got = bpf::Run(program, call).value;
      if (got == wanted) continue;
      ++(got == filter::kReturnAllow ? tally.too_permissive : tally.too_strict);
    }
  }
  return tally;
}

class Agreement : public ::testing::TestWithParam<Kind> {};

TEST_P(Agreement, RandomProfiles) {
  const Kind& kind = GetParam();
  std::mt19937_64 random(7);
  const std::vector<uint64_t> points = Around(kind.values);
  size_t compared = 0, too_permissive = 0, too_strict = 0, no_filter = 0;
  for (int round = 0; round < 150; ++round) {
    std::vector<std::vector<Arg>> rules(1 + random() % 3);
    for (auto& rule : rules) {
      const size_t tests = 1 + random() % kind.most_tests;
      for (size_t index = 0; index < tests; ++index) {
        const CompareOp op = kind.ops[random() % kind.ops.size()];
        const uint64_t value = kind.values[random() % kind.values.size()];
        const uint64_t datum = op == CompareOp::kMaskedEqual ? kind.values[random() % kind.values.size()] & value : 0;
        rule.push_back(When(static_cast<uint32_t>(index), op, value, datum));
      }
    }
    const ResolvedProfile profile = Socket(rules);
    const auto ours = filter::Compile(profile, kAsWritten);
    ASSERT_TRUE(ours) << ours.error().message;
    const Tally own = CountWrong(ours->program, profile, points);
    ASSERT_EQ(own.too_permissive + own.too_strict, 0U) << round;
    const auto theirs =
        host::BuildInChild(profile, round % 2 == 0 ? host::Shape::kLinear : host::Shape::kBinaryTree, 1);
    if (!theirs) {
      ++no_filter;
      continue;
    }
    ++compared;
    const Tally tally = CountWrong(*theirs, profile, points);
    too_permissive += tally.too_permissive == 0 ? 0 : 1;
    too_strict += tally.too_strict == 0 ? 0 : 1;
  }
  std::printf("%s: of %zu profiles libseccomp is too permissive on %zu, too strict on %zu; %zu without a filter\n",
              kind.name, compared, too_permissive, too_strict, no_filter);
  if (kind.libseccomp_is_right) {
    EXPECT_EQ(too_permissive + too_strict + no_filter, 0U);
  } else {
    EXPECT_GT(too_permissive, 0U) << "libseccomp has become right: say so in the documentation";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Agreement,
    ::testing::Values(
        Kind{"OneNarrowTest", kAllOps, kNarrow, 1, true},
        Kind{"TwoEqualities", {CompareOp::kEqual, CompareOp::kMaskedEqual}, kNarrow, 2, true},
        Kind{"OneWideEquality", {CompareOp::kEqual, CompareOp::kNotEqual, CompareOp::kMaskedEqual}, kWide, 1, true},
        Kind{"OneWideTest", kAllOps, kWide, 1, false}, Kind{"TwoTests", kAllOps, kNarrow, 2, false}),
    [](const auto& tested) { return tested.param.name; });

// The two smallest profiles on which 2.5.4 permits what no rule permits.
TEST(Libseccomp254, PermitsWhatNoRulePermits) {
  struct Case {
    std::vector<std::vector<Arg>> rules;
    seccomp::CallArgs args;
  };
  const Case cases[] = {
      {{{When(1, CompareOp::kGreaterEqual, 3), When(0, CompareOp::kLessEqual, 2)}, {When(0, CompareOp::kGreater, 1)}},
       {0, 2}},
      {{{When(0, CompareOp::kLessEqual, 1)}, {When(0, CompareOp::kGreaterEqual, 0x100000028)}}, {2}},
  };
  const uint32_t number = *syscalls::NumberOf(Arch::kX86_64, "accept4");
  for (const Case& c : cases) {
    const ResolvedProfile profile = Socket(c.rules);
    const bpf::Data call{.arch = syscalls::InfoOf(Arch::kX86_64).audit_arch, .nr = number, .args = c.args};
    EXPECT_EQ(seccomp::Evaluate(profile, Arch::kX86_64, number, c.args).action, Action::kErrno);
    EXPECT_EQ(bpf::Run(filter::Compile(profile, kAsWritten)->program, call).value, filter::kReturnErrno | EPERM);
    const auto theirs = host::BuildInChild(profile, host::Shape::kLinear, 1);
    ASSERT_TRUE(theirs);
    EXPECT_EQ(bpf::Run(*theirs, call).value, filter::kReturnAllow);
    // The prover finds it without being told where to look.
    const auto verdict = filter::Prove(*theirs, filter::Describe(profile, kAsWritten));
    ASSERT_TRUE(verdict) << verdict.error().message;
    EXPECT_FALSE(verdict->equal);
  }
}

// runc's stub comes before libseccomp's filter and answers by number alone.
TEST(RuncStub, AnswersEnosysAboveTheNewestNameOnly) {
  ResolvedProfile profile;
  profile.default_action = Action::kErrno;
  profile.architectures = {Arch::kX86_64, Arch::kX32, Arch::kX86};
  profile.syscalls = {{.names = {"read", "close_range"}, .action = Action::kAllow, .errno_ret = {}, .args = {}}};
  if (syscalls::NativeArch() != Arch::kX86_64) GTEST_SKIP() << "the numbers below are those of x86_64";
  auto plain = host::BuildInChild(profile, host::Shape::kLinear, 1);
  ASSERT_TRUE(plain) << plain.error().message;
  const auto stubbed = host::PrependRuncStub(profile, *plain);
  ASSERT_TRUE(stubbed) << stubbed.error().message;
  const auto answer = [](const bpf::Program& program, Arch arch, uint32_t number) {
    return bpf::Run(program, {.arch = syscalls::InfoOf(arch).audit_arch, .nr = number, .args = {}}).value;
  };
  constexpr uint32_t kX32Bit = 0x40000000;
  constexpr uint32_t kCloseRange = 436;
  for (const Arch arch : {Arch::kX86_64, Arch::kX86}) {
    EXPECT_EQ(answer(*stubbed, arch, kCloseRange), filter::kReturnAllow);
    EXPECT_EQ(answer(*stubbed, arch, kCloseRange - 1), filter::kReturnErrno | EPERM);
    EXPECT_EQ(answer(*stubbed, arch, kCloseRange + 1), filter::kReturnErrno | ENOSYS);
    EXPECT_EQ(answer(*plain, arch, kCloseRange + 1), filter::kReturnErrno | EPERM);
  }
  EXPECT_EQ(answer(*stubbed, Arch::kX32, kX32Bit + kCloseRange), filter::kReturnAllow);
  EXPECT_EQ(answer(*stubbed, Arch::kX32, kX32Bit + kCloseRange + 1), filter::kReturnErrno | ENOSYS);
  profile.default_action = Action::kLog;
  plain = host::BuildInChild(profile, host::Shape::kLinear, 1);
  ASSERT_TRUE(plain);
  EXPECT_EQ(host::PrependRuncStub(profile, *plain)->size(), plain->size());
}

}  // namespace
}  // namespace portcullis
