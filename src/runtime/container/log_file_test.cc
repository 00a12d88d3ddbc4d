#include "runtime/container/log_file.h"

#include <gtest/gtest.h>

namespace portcullis::runtime {
namespace {

TEST(ParseCriLogLineTest, ReadsLines) {
  const auto line = ParseCriLogLine("2026-11-23T20:02:42.945459455+00:00 stdout F hello out\n");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->time_unix_nanos, 1795464162945459455);
  EXPECT_EQ(line->stream, LogStream::kStdout);
  EXPECT_FALSE(line->partial);
  EXPECT_EQ(line->content, "hello out");

  const auto partial = ParseCriLogLine("2026-11-23T20:02:42Z stderr P:tag  two blanks");
  ASSERT_TRUE(partial);
  EXPECT_EQ(partial->stream, LogStream::kStderr);
  EXPECT_TRUE(partial->partial);
  EXPECT_EQ(partial->content, " two blanks");

  for (const char* empty : {"2026-11-23T20:02:42Z stdout F ", "2026-11-23T20:02:42Z stdout F"}) {
    const auto parsed = ParseCriLogLine(empty);
    ASSERT_TRUE(parsed) << empty;
    EXPECT_EQ(parsed->content, "");
  }
}

TEST(ParseCriLogLineTest, RefusesOthers) {
  for (const char* bad :
       {"", "\n", "hello", "2026-11-23T20:02:42Z", "2026-11-23T20:02:42Z stdout", "2026-11-23T20:02:42Z stdlog F x",
        "yesterday stdout F x", "2026-11-23T20:02:42Z stdout G x", "2026-11-23T20:02:42Z stdout FP x"}) {
    EXPECT_FALSE(ParseCriLogLine(bad)) << bad;
  }
}

}  // namespace
}  // namespace portcullis::runtime
