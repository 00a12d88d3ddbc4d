#include "runtime/service/signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace portcullis::runtime {
namespace {

TEST(SignalsTest, NamesAndNumbers) {
  const struct {
    const char* text;
    int want;
  } cases[] = {{"SIGTERM", SIGTERM},      {"term", SIGTERM},
               {"SIGQUIT", SIGQUIT},      {"3", SIGQUIT},
               {"SIGRTMIN", SIGRTMIN},    {"SIGRTMIN+3", SIGRTMIN + 3},
               {"RTMAX-2", SIGRTMAX - 2}, {"SIGWINCH", SIGWINCH}};
  for (const auto& c : cases) {
    auto got = SignalNumber(c.text);
    ASSERT_TRUE(got) << c.text;
    EXPECT_EQ(*got, c.want) << c.text;
  }
  for (const char* bad : {"", "0", "65", "SIG", "SIGFOO", "-9", "SIGRTMIN+99", "SIGRTMIN-1", "TERM "}) {
    EXPECT_FALSE(SignalNumber(bad)) << bad;
  }
}

TEST(SignalsTest, StopSignal) {
  EXPECT_EQ(StopSignalName(cri::Signal::kRuntimeDefault, ""), "SIGTERM");
  EXPECT_EQ(StopSignalName(cri::Signal::kRuntimeDefault, "SIGQUIT"), "SIGQUIT");
  EXPECT_EQ(StopSignalName(cri::Signal::kSigint, "SIGQUIT"), "SIGINT");
  EXPECT_EQ(StopSignalName(cri::Signal::kSigrtminplus3, ""), "SIGRTMIN+3");
  EXPECT_EQ(StopSignalName(cri::Signal::kRuntimeDefault, "NONSENSE"), "SIGTERM");
}

TEST(SignalsTest, EveryCriSignalGoesThereAndBack) {
  for (int value = 1; value <= static_cast<int>(cri::Signal::kSigrtmax); ++value) {
    const auto signal = static_cast<cri::Signal>(value);
    const std::string name = StopSignalName(signal, "");
    auto number = SignalNumber(name);
    ASSERT_TRUE(number) << name;
    auto back = SignalNumber(StopSignalName(CriSignal(name), ""));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, *number) << name;
  }
  EXPECT_EQ(CriSignal("SIGQUIT"), cri::Signal::kSigquit);
  EXPECT_EQ(CriSignal("what"), cri::Signal::kRuntimeDefault);
}

}  // namespace
}  // namespace portcullis::runtime
