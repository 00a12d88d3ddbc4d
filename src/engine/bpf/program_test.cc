#include "engine/bpf/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::bpf {
namespace {

using ::testing::HasSubstr;

const Program kSample = {
    {kLoad, 0, 0, kArchOffset}, {kJumpEq, 0, 6, 0xc000003e}, {kLoad, 0, 0, kNrOffset},
    {kJumpGe, 3, 0, 100},       {kJumpEq, 0, 2, 41},         {kLoad, 0, 0, kArgsOffset},
    {kJumpSet, 1, 0, 0x80},     {kReturn, 0, 0, 0x7fff0000}, {kReturn, 0, 0, 0x50001},
};

TEST(CheckTest, RefusesWhatTheKernelRefuses) {
  EXPECT_TRUE(Check(kSample)) << Check(kSample).error().message;
  const struct {
    Program program;
    const char* error;
  } kCases[] = {
      {{}, "no instruction"},
      {Program(4097, Insn{kReturn, 0, 0, 0}), "4097 instructions"},
      {{{kLoad, 0, 0, 64}, {kReturn, 0, 0, 0}}, "instruction 0: loads from offset 64"},
      {{{kLoad, 0, 0, 2}, {kReturn, 0, 0, 0}}, "instruction 0: loads from offset 2"},
      {{{kLoad, 0, 0, 0}}, "without a return"},
      {{{kJump, 0, 0, 0}}, "instruction 0: jumps past the end"},
      {{{kJumpEq, 1, 0, 0}, {kReturn, 0, 0, 0}}, "instruction 0: jumps past the end"},
      {{{kJump, 0, 0, UINT32_MAX}, {kReturn, 0, 0, 0}}, "instruction 0: jumps past the end"},
      {{{0x16, 0, 0, 0}, {kReturn, 0, 0, 0}}, "instruction 0: unknown operation 0x16"},
  };
  for (const auto& c : kCases) {
    const auto checked = Check(c.program);
    ASSERT_FALSE(checked) << c.error;
    EXPECT_THAT(checked.error().message, HasSubstr(c.error));
  }
}

TEST(RunTest, FollowsJumpsAndCountsSteps) {
  const Outcome foreign = bpf::Run(kSample, {.arch = 1, .nr = 41, .args = {}});
  EXPECT_EQ(foreign.value, 0x50001u);
  EXPECT_EQ(foreign.steps, 3u);
  EXPECT_FALSE(foreign.looked_at_args);
  const Outcome allowed = bpf::Run(kSample, {.arch = 0xc000003e, .nr = 41, .args = {0x7f}});
  EXPECT_EQ(allowed.value, 0x7fff0000u);
  EXPECT_TRUE(allowed.looked_at_args);
  EXPECT_EQ(bpf::Run(kSample, {.arch = 0xc000003e, .nr = 41, .args = {0x80}}).value, 0x50001u);
  EXPECT_EQ(bpf::Run(kSample, {.arch = 0xc000003e, .nr = 100, .args = {}}).value, 0x7fff0000u);
  EXPECT_EQ(LongestPath(kSample), 8u);
}

TEST(DataTest, WordsAreTheHalvesOfArguments) {
  const Data data{.arch = 7, .nr = 9, .args = {0, 0x1122334455667788}};
  EXPECT_EQ(WordAt(data, kArchOffset), 7u);
  EXPECT_EQ(WordAt(data, kNrOffset), 9u);
  EXPECT_EQ(WordAt(data, ArgOffset(1, true)), 0x11223344u);
  EXPECT_EQ(WordAt(data, ArgOffset(1, false)), 0x55667788u);
}

TEST(BytesTest, ThereAndBack) {
  const auto back = FromBytes(ToBytes(kSample), "sample");
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, kSample);
  EXPECT_FALSE(FromBytes("1234567", "short"));
  EXPECT_FALSE(FromBytes("", "empty"));
}

}  // namespace
}  // namespace portcullis::bpf
