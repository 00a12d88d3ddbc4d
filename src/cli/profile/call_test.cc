#include "cli/profile/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::cli {
namespace {

using syscalls::Arch;
using ::testing::HasSubstr;

Result<Call> Parse(std::vector<std::string> words, Arch arch = Arch::kX86_64) { return ParseCall(words, arch); }

TEST(ParseCallTest, NamesNumbersAndConstants) {
  const auto socket = Parse({"socket", "AF_ALG", "SOCK_SEQPACKET|SOCK_CLOEXEC"});
  ASSERT_TRUE(socket) << socket.error().message;
  EXPECT_EQ(socket->number, 41u);
  EXPECT_EQ(socket->args[0], 38u);
  EXPECT_EQ(socket->args[1], 0x80005u);
  EXPECT_EQ(Parse({"clone", "CLONE_NEWUSER"})->args[0], 0x10000000u);
  EXPECT_EQ(Parse({"openat", "AT_FDCWD"})->args[0], static_cast<uint64_t>(-100));
  EXPECT_EQ(Parse({"openat", "-100"})->args[0], static_cast<uint64_t>(-100));
  EXPECT_EQ(Parse({"personality", "0xffffffff"})->args[0], 0xffffffffu);
  EXPECT_EQ(Parse({"chmod", "0", "0644"})->args[1], 0644u);
  EXPECT_EQ(Parse({"435"})->name, "clone3");
  EXPECT_EQ(Parse({"9999"})->name, "");
  EXPECT_EQ(Parse({"socket"}, Arch::kX86)->number, 359u);
}

TEST(ParseCallTest, ErrorsNameTheWord) {
  const struct {
    std::vector<std::string> words;
    const char* error;
  } kCases[] = {
      {{"sokcet"}, "unknown system call \"sokcet\" (did you mean socket?)"},
      {{"socketcall"}, "SCMP_ARCH_X86_64 has no system call socketcall"},
      {{"socket", "AF_ALGG"}, "\"AF_ALGG\" is neither a number nor a known constant (did you mean AF_ALG?)"},
      {{"socket", "1x"}, "\"1x\" is neither"},
      {{"getpid", "1", "2", "3", "4", "5", "6", "7"}, "7 arguments"},
      {{"4294967296"}, "no number of a system call"},
  };
  for (const auto& c : kCases) {
    const auto call = Parse(c.words);
    ASSERT_FALSE(call) << c.words[0];
    EXPECT_THAT(call.error().message, HasSubstr(c.error));
  }
}

}  // namespace
}  // namespace portcullis::cli
