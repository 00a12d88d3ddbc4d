// Compiling and proving: every default profile of the library, and the corners of the semantics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "engine/filter/compile.h"
#include "engine/filter/prove.h"
#include "engine/seccomp/capabilities.h"
#include "engine/seccomp/evaluate.h"
#include "engine/seccomp/library.h"
#include "engine/seccomp/resolve.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::filter {
namespace {

using seccomp::Action;
using seccomp::CompareOp;
using seccomp::ResolvedProfile;
using seccomp::ResolvedRule;

constexpr uint32_t kX86_64 = 0xc000003e;

ResolvedProfile Default(std::string_view name, std::vector<std::string> capabilities) {
  const auto found = seccomp::FindDefaultProfile(name);
  EXPECT_TRUE(found);
  auto resolved = seccomp::Resolve(found->profile, {.bounding = std::move(capabilities),
                                                    .host = Arch::kX86_64,
                                                    .kernel = seccomp::KernelVersion{6, 18},
                                                    .flavour = found->flavour});
  EXPECT_TRUE(resolved);
  return *std::move(resolved);
}

TEST(CompileTest, NewestDefaultsAreShortShallowAndProven) {
  for (const char* name : {"containerd", "cri-o", "docker"}) {
    const ResolvedProfile profile = Default(name, seccomp::DockerDefaultCapabilities());
    const auto filter = Compile(profile, {.native = Arch::kX86_64});
    ASSERT_TRUE(filter) << filter.error().message;
    EXPECT_LE(filter->program.size(), 300u) << name;
    EXPECT_LE(bpf::LongestPath(filter->program), 24u) << name;
    EXPECT_EQ(filter->flags, kFlagSpecAllow);
    const auto verdict = Prove(filter->program, Describe(profile, {.native = Arch::kX86_64}));
    ASSERT_TRUE(verdict) << verdict.error().message;
    EXPECT_TRUE(verdict->equal) << name;
    RecordProperty(std::string(name) + "_instructions", static_cast<int>(filter->program.size()));
    printf("%s: %zu instructions, longest path %zu, %zu classes\n", name, filter->program.size(),
           bpf::LongestPath(filter->program), verdict->classes);
  }
}

// One changed instruction is found, with a call that really is answered differently.
TEST(ProveTest, EveryMutantThatDiffersIsRefuted) {
  const ResolvedProfile profile = Default("containerd", seccomp::DockerDefaultCapabilities());
  const Behaviour behaviour = Describe(profile, {.native = Arch::kX86_64});
  const bpf::Program program = Compile(profile, {.native = Arch::kX86_64})->program;
  std::mt19937 random(1);
  size_t refuted = 0;
  for (size_t at = 0; at < program.size(); ++at) {
    bpf::Program mutant = program;
    bpf::Insn& insn = mutant[at];
    switch (random() % 3) {
      case 0:
        insn.k ^= uint32_t{1} << (random() % 8);
        break;
      case 1:
        std::swap(insn.jt, insn.jf);
        break;
      default:
        ++insn.k;
        break;
    }
    if (mutant == program || !bpf::Check(mutant)) continue;
    const auto verdict = Prove(mutant, behaviour);
    if (!verdict || verdict->equal) continue;
    ++refuted;
    const Counterexample& example = *verdict->counterexample;
    EXPECT_NE(example.from_program, example.from_profile) << "instruction " << at;
    EXPECT_EQ(bpf::Run(mutant, example.call).value, example.from_program);
  }
  EXPECT_GT(refuted, program.size() / 2);
}

// Random profiles: the program, the behaviour and seccomp::Evaluate agree at the borders of every test.
TEST(CompileTest, AgreesWithTheReferenceOnRandomProfiles) {
  std::mt19937_64 random(20261124);
  const uint64_t kValues[] = {0,          1,          2,          40,          41,          0xff,
                              0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x100000028, UINT64_MAX};
  const auto value = [&] { return kValues[random() % std::size(kValues)]; };
  const Action kActions[] = {Action::kAllow, Action::kErrno, Action::kLog, Action::kTrap, Action::kKillProcess};
  const char* kNames[] = {"socket", "clone", "personality", "ioctl"};
  for (int round = 0; round < 400; ++round) {
    ResolvedProfile profile;
    profile.default_action = random() % 4 == 0 ? Action::kAllow : Action::kErrno;
    profile.architectures = {Arch::kX86_64, Arch::kX86, Arch::kX32};
    for (size_t rules = random() % 6; rules > 0; --rules) {
      ResolvedRule rule;
      rule.names = {kNames[random() % std::size(kNames)]};
      rule.action = kActions[random() % std::size(kActions)];
      if (rule.action == Action::kErrno) rule.errno_ret = static_cast<uint32_t>(random() % 3);
      for (size_t tests = random() % 4; tests > 0; --tests) {
        rule.args.push_back({.index = static_cast<uint32_t>(random() % 3),
                             .value = value(),
                             .value_two = value(),
                             .op = static_cast<CompareOp>(random() % 7)});
      }
      profile.syscalls.push_back(std::move(rule));
    }
    const Options options{.native = Arch::kX86_64, .newer = NewerSyscalls::kAsWritten};
    const auto filter = Compile(profile, options);
    ASSERT_TRUE(filter) << filter.error().message;
    const Behaviour behaviour = Describe(profile, options);
    const auto verdict = Prove(filter->program, behaviour);
    ASSERT_TRUE(verdict) << verdict.error().message;
    ASSERT_TRUE(verdict->equal) << "round " << round;
    for (int probe = 0; probe < 200; ++probe) {
      const Arch arch = profile.architectures[random() % 3];
      const auto& info = syscalls::InfoOf(arch);
      const uint32_t number = syscalls::NumberOf(arch, kNames[random() % std::size(kNames)]).value();
      seccomp::CallArgs args{};
      for (size_t i = 0; i < 3; ++i) args[i] = value() + random() % 3 - 1;
      const seccomp::Decision wanted = seccomp::Evaluate(profile, arch, number, args, Arch::kX86_64);
      const uint32_t answer = ToReturnValue(wanted.action, wanted.data);
      ASSERT_EQ(Answer(behaviour, info.audit_arch, number, args), answer) << "round " << round;
      ASSERT_EQ(bpf::Run(filter->program, {.arch = info.audit_arch, .nr = number, .args = args}).value, answer)
          << "round " << round;
    }
  }
}

TEST(CompileTest, NewerCallsAnswerEnosysAndForeignOnesAreKilled) {
  const ResolvedProfile profile = Default("containerd", seccomp::DockerDefaultCapabilities());
  const bpf::Program program = Compile(profile, {.native = Arch::kX86_64})->program;
  const auto call = [&](uint32_t arch, uint32_t number) {
    return bpf::Run(program, {.arch = arch, .nr = number, .args = {}}).value;
  };
  EXPECT_EQ(call(kX86_64, 1), kReturnAllow);
  EXPECT_EQ(call(kX86_64, 272), kReturnErrno | 1u) << "unshare";
  EXPECT_EQ(call(kX86_64, 435), kReturnErrno | 38u) << "clone3";
  EXPECT_EQ(call(kX86_64, 9999), kReturnErrno | 38u);
  EXPECT_EQ(call(kX86_64, syscalls::kX32Bit | 9999), kReturnErrno | 38u);
  EXPECT_EQ(call(kX86_64, UINT32_MAX), kReturnErrno | 38u);
  EXPECT_EQ(call(0xc00000b7, 1), kReturnKillThread) << "aarch64";
  const bpf::Program as_written =
      Compile(profile, {.native = Arch::kX86_64, .newer = NewerSyscalls::kAsWritten})->program;
  EXPECT_EQ(bpf::Run(as_written, {.arch = kX86_64, .nr = 9999, .args = {}}).value, kReturnErrno | 1u);
}

TEST(CompileTest, X32IsKilledUnlessListed) {
  ResolvedProfile profile;
  profile.default_action = Action::kAllow;
  const bpf::Program program = Compile(profile, {.native = Arch::kX86_64})->program;
  EXPECT_EQ(bpf::Run(program, {.arch = kX86_64, .nr = 1, .args = {}}).value, kReturnAllow);
  EXPECT_EQ(bpf::Run(program, {.arch = kX86_64, .nr = syscalls::kX32Bit | 1, .args = {}}).value, kReturnKillThread);
  EXPECT_EQ(bpf::Run(program, {.arch = kX86_64, .nr = UINT32_MAX, .args = {}}).value, kReturnAllow);
}

// Rules that no pruning can shorten still compile, and so do jumps beyond 255 instructions.
TEST(CompileTest, LongRuleListsCompileOrAreRefused) {
  const auto with_rules = [](size_t rules) {
    ResolvedProfile profile;
    profile.default_action = Action::kErrno;
    for (size_t i = 0; i < rules; ++i) {
      profile.syscalls.push_back(
          {.names = {"ioctl"},
           .action = Action::kAllow,
           .errno_ret = {},
           .args = {{.index = 1, .value = i * 7919 + 1, .value_two = 0, .op = CompareOp::kEqual},
                    {.index = 2, .value = 0xf0, .value_two = (i % 16) << 4, .op = CompareOp::kMaskedEqual}}});
    }
    return profile;
  };
  const ResolvedProfile profile = with_rules(300);
  const auto filter = Compile(profile, {.native = Arch::kX86_64});
  ASSERT_TRUE(filter) << filter.error().message;
  const auto verdict = Prove(filter->program, Describe(profile, {.native = Arch::kX86_64}));
  ASSERT_TRUE(verdict) << verdict.error().message;
  EXPECT_TRUE(verdict->equal);
  const auto refused = Compile(with_rules(4000), {.native = Arch::kX86_64});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("4096"));
}

TEST(CompareTest, FindsTheCallThatTwoProfilesAnswerDifferently) {
  const Behaviour plain = Describe(Default("containerd", {}), {.native = Arch::kX86_64});
  const Behaviour admin = Describe(Default("containerd", {"CAP_SYS_ADMIN"}), {.native = Arch::kX86_64});
  EXPECT_TRUE(Compare(plain, plain)->equal);
  const auto verdict = Compare(plain, admin);
  ASSERT_TRUE(verdict);
  ASSERT_TRUE(verdict->counterexample);
  EXPECT_NE(verdict->counterexample->from_program, verdict->counterexample->from_profile);
}

TEST(DifferencesTest, NamesEveryNumberThatChanges) {
  ResolvedProfile before;
  before.default_action = Action::kErrno;
  before.syscalls = {{.names = {"read", "socket"}, .action = Action::kAllow, .errno_ret = {}, .args = {}}};
  ResolvedProfile after = before;
  after.syscalls[0].names = {"read", "write"};
  after.syscalls.push_back({.names = {"socket"},
                            .action = Action::kAllow,
                            .errno_ret = {},
                            .args = {{.index = 0, .value = 38, .value_two = 0, .op = CompareOp::kNotEqual}}});
  const Options options{.native = Arch::kX86_64};
  EXPECT_TRUE(Differences(Describe(before, options), Describe(before, options))->empty());
  const auto differences = Differences(Describe(before, options), Describe(after, options));
  ASSERT_TRUE(differences);
  ASSERT_EQ(differences->size(), 2u);
  const Difference& write = differences->at(0);
  EXPECT_EQ(write.first, 1u);
  EXPECT_EQ(write.last, 1u);
  EXPECT_FALSE(write.for_some_arguments);
  EXPECT_EQ(write.from_first, kReturnErrno | 1u);
  EXPECT_EQ(write.from_second, kReturnAllow);
  const Difference& socket = differences->at(1);
  EXPECT_EQ(socket.first, 41u);
  EXPECT_TRUE(socket.for_some_arguments);
  EXPECT_EQ(socket.args[0], 38u);
  EXPECT_EQ(socket.from_second, kReturnErrno | 1u);
}

}  // namespace
}  // namespace portcullis::filter
