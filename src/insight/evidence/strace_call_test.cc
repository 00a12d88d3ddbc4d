#include "insight/evidence/strace_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <cerrno>

namespace portcullis::insight {
namespace {

using syscalls::Arch;
using testing::ElementsAre;

TEST(StraceCall, Results) {
  const auto result = [](std::string_view text) { return ResultOfStraceCall("socket", text); };
  EXPECT_EQ(result("3").result, CallResult::kAllowed);
  EXPECT_EQ(result("0x7f12 (flags)").result, CallResult::kAllowed);
  EXPECT_EQ(result("-1 EPERM (Operation not permitted)").result, CallResult::kErrno);
  EXPECT_EQ(result("-1 EPERM (Operation not permitted)").error, EPERM);
  EXPECT_EQ(result("-1 ENOSYS (Function not implemented)").result, CallResult::kErrno);
  EXPECT_EQ(result("-1 EAFNOSUPPORT (Address family not supported by protocol)").result, CallResult::kAllowed);
  EXPECT_EQ(result("-1 EAFNOSUPPORT (Address family not supported by protocol)").error, EAFNOSUPPORT);
  EXPECT_EQ(result("-1 EPERM (Operation not permitted) (INJECTED)").result, CallResult::kUnknown);
  EXPECT_EQ(result("? ERESTARTSYS (To be restarted if SA_RESTART is set)").result, CallResult::kAllowed);
  EXPECT_EQ(result("?").result, CallResult::kUnknown);
  EXPECT_EQ(result("? <unavailable>").result, CallResult::kUnknown);
  EXPECT_EQ(ResultOfStraceCall("exit_group", "?").result, CallResult::kAllowed);
}

TEST(StraceCall, SocketcallIsToldApart) {
  const auto by_number = NumberOfStraceCall(Arch::kX86, "socket", 102);
  ASSERT_TRUE(by_number);
  EXPECT_EQ(by_number->name, "socketcall");
  EXPECT_EQ(by_number->subcall, 1u);
  EXPECT_FALSE(by_number->ambiguous);
  EXPECT_EQ(NumberOfStraceCall(Arch::kX86, "socket", 359)->name, "socket");
  EXPECT_TRUE(NumberOfStraceCall(Arch::kX86, "socket", std::nullopt)->ambiguous);
  // i386 has no accept of its own.
  EXPECT_EQ(NumberOfStraceCall(Arch::kX86, "accept", std::nullopt)->number, 102u);
  EXPECT_EQ(NumberOfStraceCall(Arch::kX86, "accept", std::nullopt)->subcall, 5u);
  EXPECT_EQ(NumberOfStraceCall(Arch::kX86, "semop", std::nullopt)->name, "ipc");
  EXPECT_FALSE(NumberOfStraceCall(Arch::kX86_64, "socket", std::nullopt)->ambiguous);
  EXPECT_EQ(NumberOfStraceCall(Arch::kX86_64, "syscall_0x3e7", std::nullopt)->number, 999u);
  EXPECT_FALSE(NumberOfStraceCall(Arch::kX86_64, "nonsense", std::nullopt));
}

TEST(StraceCall, Values) {
  const auto values = [](std::string_view name, std::string_view text) {
    return ValuesOfStraceCall(Arch::kX86_64, *NumberOfStraceCall(Arch::kX86_64, name, std::nullopt), text);
  };
  EXPECT_THAT(values("clone", "child_stack=NULL, flags=CLONE_NEWUSER|SIGCHLD, child_tidptr=0x7f").arguments,
              ElementsAre(CallArgument{0, CLONE_NEWUSER | 17}));
  EXPECT_THAT(values("clone", "0x11, 0, 0").arguments, ElementsAre(CallArgument{0, 17}));
  EXPECT_THAT(values("ioctl", "3</dev/x>, _IOC(_IOC_READ|_IOC_WRITE, 0x56, 0x78, 0x1234), 0x7f").arguments,
              ElementsAre(CallArgument{1, 0xd2345678}));
  EXPECT_THAT(values("ioctl", "3, SNDCTL_TMR_TIMEBASE or TCGETS, 0x7f").arguments,
              ElementsAre(CallArgument{1, 0x5401}));
  EXPECT_EQ(values("ioctl", "3, DRM_IOCTL_VERSION, 0x7f").unread_other, "\"DRM_IOCTL_VERSION\" of ioctl");
  EXPECT_EQ(values("socket", "AF_NEW, SOCK_STREAM, 0").unread_tested, "\"AF_NEW\" of socket");
  EXPECT_EQ(values("clone", "child_stack=NULL").unread_tested, "\"\" of clone");
}

TEST(StraceCall, WhoseModeItShows) {
  const auto shows = [](std::string_view name, std::optional<uint32_t> number, std::string_view arguments,
                        std::string_view result) {
    return IsOfArch(Arch::kX86_64, Arch::kX86, name, number, arguments, result);
  };
  EXPECT_EQ(shows("brk", std::nullopt, "NULL", "0x556565dbf000"), true);
  EXPECT_EQ(shows("brk", std::nullopt, "NULL", "0x56dbf000"), std::nullopt);
  EXPECT_EQ(shows("munmap", std::nullopt, "0x7f4660dcf000, 5", "0"), true);
  EXPECT_EQ(shows("execve", std::nullopt, "\"./p\", [\"./p\"], 0x7ffdea464268 /* 41 vars */", "0"), true);
  EXPECT_EQ(shows("mmap2", std::nullopt, "NULL, 5", "0xf7000000"), false);
  EXPECT_EQ(shows("newfstatat", std::nullopt, "1", "0"), true);
  EXPECT_EQ(shows("accept", std::nullopt, "1, 0, 0", "0"), std::nullopt) << "i386's is through socketcall";
  EXPECT_EQ(shows("write", 4, "1, 0, 0", "0"), false);
  EXPECT_EQ(shows("write", 1, "1, 0, 0", "0"), true);
  EXPECT_EQ(shows("socket", 102, "1, 0, 0", "0"), false);
  EXPECT_EQ(shows("write", std::nullopt, "1, \"0x7f4660dcf000\", 0", "0"), std::nullopt);
}

}  // namespace
}  // namespace portcullis::insight
