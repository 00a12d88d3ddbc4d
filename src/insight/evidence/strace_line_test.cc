#include "insight/evidence/strace_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::insight {
namespace {

using testing::ElementsAre;

TEST(StraceLine, LeadersOfEveryOption) {
  for (const char* leader :
       {"", "1781  ", "[pid  1781] ", "1781<my app> ", "[pid 1781<a>] ", "08:22:14 ", "08:22:14.513297 ",
        "1795594934.579702 ", "1795594934.579702123 ", "     0.000039 ", "1781  08:22:14.513297 ",
        "[pid 1781] 1795594934.579702 ", "2804  08:24:30.834530 (+     0.000064) [  41] [00007f3a9b3d2dc7] ", "[  41] ",
        "[00007f3a9b3d2dc7] ", "[f7f52000] ", "[  41] [????????????????] "}) {
    const std::string text =
        std::string(leader) + "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3<TCP:[24->7]> <0.000042>";
    const StraceLine line = ParseStraceLine(text);
    ASSERT_EQ(line.kind, StraceKind::kCall) << text;
    EXPECT_EQ(line.name, "socket");
    EXPECT_EQ(line.arguments, "AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP");
    EXPECT_EQ(line.result, "3<TCP:[24->7]>");
    if (std::string_view(leader).find("1781") != std::string_view::npos) {
      EXPECT_EQ(line.pid, 1781u) << text;
    }
    if (std::string_view(leader).find("[  41]") != std::string_view::npos) {
      EXPECT_EQ(line.number, 41u) << text;
    }
    if (std::string_view(leader).find("9b3d2dc7") != std::string_view::npos) {
      EXPECT_EQ(line.address, 0x7f3a9b3d2dc7u);
    }
    if (std::string_view(leader).find("1795594934.579702") != std::string_view::npos) {
      EXPECT_EQ(line.time_unix_nanos / 1000, 1795594934579702) << text;
    }
  }
}

TEST(StraceLine, Kinds) {
  const auto kind = [](std::string_view text) { return ParseStraceLine(text).kind; };
  EXPECT_EQ(kind("1751  rt_sigprocmask(SIG_SETMASK, [],  <unfinished ...>"), StraceKind::kUnfinished);
  EXPECT_EQ(kind("restart_syscall(<... resuming interrupted read ...> <detached ...>"), StraceKind::kUnfinished);
  EXPECT_EQ(kind("1751  <... rt_sigprocmask resumed>NULL, 8) = 0"), StraceKind::kResumed);
  EXPECT_EQ(kind("+++ exited with 0 +++"), StraceKind::kExited);
  EXPECT_EQ(kind("7  +++ superseded by execve in pid 8 +++"), StraceKind::kExited);
  EXPECT_EQ(kind("[ 252] +++ killed by SIGSYS (core dumped) +++"), StraceKind::kKilled);
  EXPECT_TRUE(ParseStraceLine("+++ killed by SIGSYS (core dumped) +++").by_sigsys);
  EXPECT_EQ(kind("--- stopped by SIGSTOP ---"), StraceKind::kSignal);
  EXPECT_EQ(kind("--- SIGSYS {si_signo=SIGSYS, si_code=SYS_USER_DISPATCH, si_syscall=__NR_getppid} ---"),
            StraceKind::kSignal);
  EXPECT_EQ(kind("strace: Process 7 attached"), StraceKind::kAttached);
  EXPECT_EQ(kind("strace: exec: nothing"), StraceKind::kNote);
  EXPECT_EQ(kind("write(1, \"<unfinished ...>\\n\", 17) = 17"), StraceKind::kCall);
  EXPECT_EQ(kind("read(3,  <unfinished ...>) = ?"), StraceKind::kCall);
  EXPECT_EQ(kind("write(2, \"x\\n\", 2x"), StraceKind::kBroken);
  EXPECT_EQ(kind("hello world"), StraceKind::kOther);
  EXPECT_EQ(kind("1751"), StraceKind::kOther);
  EXPECT_EQ(kind(""), StraceKind::kOther);
  const StraceLine trap = ParseStraceLine(
      "1755  --- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_errno=EIO, si_call_addr=0x7f4660cc24f7, "
      "si_syscall=__NR_getppid, si_arch=AUDIT_ARCH_X86_64} ---");
  EXPECT_EQ(trap.kind, StraceKind::kSigsys);
  EXPECT_EQ(trap.sigsys_syscall, "__NR_getppid");
  EXPECT_EQ(trap.address, 0x7f4660cc24f7u);
  const StraceLine raw =
      ParseStraceLine("--- SIGSYS {si_signo=31, si_code=0x1, si_syscall=110 /* __NR_getppid */} ---");
  EXPECT_EQ(raw.kind, StraceKind::kSigsys);
  EXPECT_EQ(raw.sigsys_syscall, "110");
  EXPECT_EQ(ParseStraceLine("[ Process PID=1781 runs in 32 bit mode. ]").mode, "32 bit");
  EXPECT_EQ(ParseStraceLine("7  [ Process PID=7 runs in x32 mode. ]").mode, "x32");
  EXPECT_EQ(ParseStraceLine(" > /usr/lib/libuv.so.1(uv__iou_init+0x2e) [0x10adc7]").name,
            "/usr/lib/libuv.so.1(uv__iou_init+0x2e)");
}

TEST(StraceLine, Arguments) {
  const auto split = [](std::string_view text) { return SplitStraceArguments(text).values; };
  EXPECT_THAT(split("AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3"),
              ElementsAre("AF_INET", "SOCK_STREAM|SOCK_CLOEXEC", "IPPROTO_IP"));
  EXPECT_THAT(split("3</a,b (x)>, TCGETS, {c_iflag=1, ...})"), ElementsAre("3", "TCGETS", "{c_iflag=1, ...}"));
  EXPECT_THAT(split("1</dev/null<char 1:3>>, \"a,\\\")\", 3)"), ElementsAre("1", "\"a,\\\")\"", "3"));
  EXPECT_THAT(split("4<TCP:[127.0.0.1:36578->127.0.0.1:80]>, 2)"), ElementsAre("4", "2"));
  EXPECT_THAT(split("NULL, 4096, 3, 21<<MAP_HUGE_SHIFT|MAP_SHARED, -1, 0)"),
              ElementsAre("NULL", "4096", "3", "21<<MAP_HUGE_SHIFT|MAP_SHARED", "-1", "0"));
  EXPECT_THAT(split("0x2 /* AF_INET, or so) */, 0)"), ElementsAre("0x2 /* AF_INET, or so) */", "0"));
  EXPECT_THAT(split(")"), ElementsAre());
  for (const char* open : {"", "1, \"a", "{a=1)", "3</a", "1 /* x", "a, b"}) {
    EXPECT_EQ(SplitStraceArguments(open).end, std::string_view::npos) << open;
  }
}

TEST(StraceLine, Strings) {
  EXPECT_EQ(DecodeStraceString("\"/bin/tr\\165e\""), "/bin/true");
  EXPECT_EQ(DecodeStraceString("\"a\\\"\\n\\x41\\0\""), std::string("a\"\nA\0", 5));
  for (const char* bad : {"", "\"", "\"a", "a", "\"a\"...", "\"a\\\"", "0x7ffe"})
    EXPECT_EQ(DecodeStraceString(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace portcullis::insight
