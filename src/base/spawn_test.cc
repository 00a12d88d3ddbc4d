#include "base/spawn.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"

namespace portcullis::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RunCommand, GathersOutputAndExitCode) {
  const auto result = RunCommand({.spawn = {.argv = {"sh", "-c", "cat; echo oops >&2; exit 7"}}, .input = "hello"});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_EQ(result->out, "hello");
  EXPECT_EQ(result->err, "oops\n");
}

TEST(RunCommand, PassesEnvironmentFolderAndDescriptors) {
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  UniqueFd read_end(fds[0]), write_end(fds[1]);
  const auto result = RunCommand({.spawn = {.argv = {"/bin/sh", "-c", "pwd; echo $X; echo through >&5"},
                                            .env = {{"X=y"}},
                                            .fds = {{write_end.get(), 5}},
                                            .working_dir = "/"}});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->out, "/\ny\n");
  char buffer[16] = {};
  EXPECT_EQ(::read(read_end.get(), buffer, sizeof buffer), 8);
  EXPECT_STREQ(buffer, "through\n");
}

TEST(RunCommand, NothingElseIsInherited) {
  const UniqueFd leaky(::dup(0));  // no O_CLOEXEC, as some libraries make them
  ASSERT_TRUE(leaky.valid());
  const auto result = RunCommand({.spawn = {.argv = {"sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"}, .fds = {{0, 6}}}});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->out, "0 1 2 3 6 ") << "3 is ls's own";
}

TEST(RunCommand, KillsTheWholeGroupAtTheDeadline) {
  bool told = false;
  const auto begin = Now();
  const auto result = RunCommand({.spawn = {.argv = {"sh", "-c", "sleep 60 & sleep 60"}},
                                  .timeout = milliseconds(200),
                                  .on_timeout = [&] { told = true; }});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kDeadlineExceeded);
  EXPECT_TRUE(told);
  EXPECT_LT(Now() - begin, seconds(30));
}

TEST(RunCommand, DeadlineHoldsWhileInputIsFed) {
  const auto begin = Now();
  const auto result = RunCommand(
      {.spawn = {.argv = {"sleep", "60"}}, .input = std::string(1u << 20, 'x'), .timeout = milliseconds(200)});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kDeadlineExceeded);
  EXPECT_LT(Now() - begin, seconds(30));
}

// Also where nobody has seen to SIGPIPE: a program that does not read its input says itself how it fared.
TEST(RunCommand, InputThatNobodyReadsIsNoFailure) {
  const std::string input(1u << 20, 'x');
  const auto result =
      RunCommand({.spawn = {.argv = {"sh", "-c", "exec <&-; sleep 0.1; echo said; exit 3"}}, .input = input});
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->out, "said\n");
  sigset_t pending;
  ASSERT_EQ(::sigpending(&pending), 0);
  EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
}

TEST(RunCommand, LongInputArrivesWhole) {
  const std::string input(3u << 20, 'x');
  const auto result = RunCommand({.spawn = {.argv = {"sh", "-c", "sleep 0.1; cat"}}, .input = input});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->out == input) << result->out.size();
}

TEST(RunCommand, ErrorsKeepWholeCharacters) {
  // 3-byte characters: a cut after 2000 bytes from the end falls within one.
  const auto result = RunCommand(
      {.spawn = {.argv = {"sh", "-c", "for i in $(seq 1000); do printf '\\342\\202\\254'; done >&2; sleep 60"}},
       .timeout = milliseconds(500)});
  ASSERT_FALSE(result);
  const std::string& message = result.error().message;
  const size_t said = message.find("\xE2\x82\xAC");
  ASSERT_NE(said, std::string::npos) << message;
  EXPECT_EQ(message.substr(said - 2, 2), ": ");
  EXPECT_EQ((message.size() - said) % 3, 0u);
}

TEST(Spawn, DiscardLeavesNoZombie) {
  auto child = Spawn({.argv = {"sleep", "60"}});
  ASSERT_TRUE(child);
  const pid_t pid = child->pid;
  Discard(std::move(*child));
  EXPECT_EQ(::kill(pid, 0), -1) << "killed and reaped";
}

TEST(RunCommand, ErrorsNameTheProgram) {
  const auto missing = RunCommand({.spawn = {.argv = {"/no/such/program"}}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().message.find("/no/such/program"), std::string::npos);
  const auto chatty = RunCommand({.spawn = {.argv = {"sh", "-c", "yes"}}, .max_output = 1000});
  ASSERT_FALSE(chatty);
  EXPECT_EQ(chatty.error().code, Code::kResourceExhausted);
}

TEST(Spawn, WaitReportsSignalsAndTimeouts) {
  auto child = Spawn({.argv = {"sleep", "60"}});
  ASSERT_TRUE(child);
  const auto early = Wait(*child, milliseconds(20));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Code::kDeadlineExceeded);
  ASSERT_EQ(::kill(child->pid, SIGTERM), 0);
  EXPECT_EQ(Wait(*child, seconds(10)).value(), 128 + SIGTERM);
}

}  // namespace
}  // namespace portcullis::base
