#include "insight/evidence/strace_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>

#include "insight/evidence/test_shared.h"

namespace portcullis::insight {
namespace {

using syscalls::Arch;
using testing::ElementsAre;

Evidence ReadText(std::string_view text, size_t piece = SIZE_MAX) {
  StraceReader reader({.arch = Arch::kX86_64});
  reader.BeginFile(0);
  for (size_t at = 0; at < text.size(); at += std::min(piece, text.size())) reader.Feed(text.substr(at, piece));
  reader.EndFile();
  return reader.Take();
}

TEST(StraceReader, MessagesInTheMiddleOfLines) {
  // As strace writes to a terminal that the program writes to as well.
  const std::string text =
      "execve(\"./p\", [\"./p\"], 0x7ffe /* 41 vars */) = 0\n"
      "write(2, \"x\\n\", 2x\n"
      ")                     = 2\n"
      "clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLDstrace: Process 1785 attached\n"
      ", child_tidptr=0xf7f535e8) = 1785\n"
      "[pid  1785] unshare(CLONE_NEWUSER <unfinished ...>\n"
      "[pid  1781] wait4(1785,  <unfinished ...>\n"
      "[pid  1785] <... unshare resumed>) = -1 EPERM (Operation not permitted)\n"
      "hello from the program\n"
      "[pid  1785] exit_group(0) = ?\n"
      "[pid  1785] +++ exited with 0 +++\n"
      "<... wait4 resumed>NULL, 0, NULL)       = 1785\n"
      "exit_group(0) = ?\n"
      "+++ exited with 0 +++\n";
  for (const size_t piece : {size_t{1}, size_t{7}, text.size()}) {
    const Evidence evidence = ReadText(text, piece);
    EXPECT_TRUE(evidence.IsComplete()) << LossesOf(evidence);
    const auto* unshare = Find(evidence, "unshare");
    ASSERT_NE(unshare, nullptr);
    EXPECT_EQ(unshare->first.executable, "./p") << "of its parent";
    EXPECT_EQ(unshare->first.result, CallResult::kErrno);
    EXPECT_EQ(unshare->first.error, EPERM);
    EXPECT_THAT(unshare->first.arguments, ElementsAre(CallArgument{0, CLONE_NEWUSER}));
    EXPECT_NE(Find(evidence, "wait4"), nullptr);
    EXPECT_NE(Find(evidence, "write"), nullptr);
    ASSERT_EQ(evidence.workloads().size(), 1u);
    EXPECT_EQ(evidence.workloads()[0].command, "./p");
    EXPECT_TRUE(
        evidence.completeness.unseen.contains("whether EPERM and ENOSYS are a filter's answer or the kernel's own"));
  }
}

TEST(StraceReader, WhatIsMissingMakesItIncomplete) {
  const std::string good = "7  execve(\"/a\", [], []) = 0\n7  socket(AF_INET, SOCK_STREAM, 0) = 3\n";
  EXPECT_TRUE(ReadText(good).IsComplete());
  for (const char* bad : {
           "7  socket(AF_INET, SOCK_STR",                      // cut off
           "7  socket(AF_INET, SOCK_STR\n",                    // broken
           "7  <... socket resumed>) = 3\n",                   // its beginning is missing
           "7  socket(AF_NEW, SOCK_STREAM, 0) = 3\n",          // a tested argument
           "7  socket(AF_INET, ) = 3\n",                       // a tested argument left out
           "7  clone(child_stack=NULL, flags=SIGCHLD) = 9\n",  // not followed
           "7  nonsense(1) = 0\n",                             // no such call
           "7  +++ killed by SIGSYS +++\n",                    // in a call that is not shown
           "7  [ Process PID=7 runs in 32 bit mode. ]\n7  socket(AF_INET, SOCK_STREAM, 0) = 3\n",  // or socketcall?
       }) {
    const Evidence evidence = ReadText(good + bad);
    EXPECT_FALSE(evidence.IsComplete()) << bad;
    EXPECT_NE(Find(evidence, "socket"), nullptr);
  }
  const Evidence long_line = ReadText("7  write(1, \"" + std::string(2u << 20, 'a') + "\", 3) = 3\n" + good);
  EXPECT_FALSE(long_line.IsComplete());
  // The number tells socketcall from socket.
  const Evidence told =
      ReadText("7  [ Process PID=7 runs in 32 bit mode. ]\n7  [ 102] socket(AF_INET, SOCK_STREAM, 0) = 3\n");
  EXPECT_TRUE(told.IsComplete()) << LossesOf(told);
  EXPECT_NE(Find(told, "socketcall", Arch::kX86, 1), nullptr);
}

TEST(StraceReader, EveryFilterAnswer) {
  const Evidence evidence = ReadText(
      "7  getppid()                         = 110\n"
      "7  --- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x7f46, si_syscall=__NR_getppid, "
      "si_arch=AUDIT_ARCH_X86_64} ---\n"
      "7  rt_sigreturn({mask=[]}) = 110\n"
      // The call itself was not to be shown.
      "7  --- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x8f46, si_syscall=__NR_mount, "
      "si_arch=AUDIT_ARCH_X86_64} ---\n"
      "7  getsid(0)                         = 124\n"
      "7  +++ killed by SIGSYS +++\n"
      "8  getppid()                         = 110\n"
      "8  --- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x7f46, si_syscall=__NR_getppid, "
      "si_arch=AUDIT_ARCH_X86_64} ---\n"
      "8  +++ killed by SIGSYS +++\n");
  EXPECT_EQ(Find(evidence, "getppid")->first.result, CallResult::kTrap);
  EXPECT_EQ(Find(evidence, "getppid")->second.count, 2u);
  EXPECT_EQ(Find(evidence, "getppid")->second.address, 0x7f46u);
  EXPECT_EQ(Find(evidence, "mount")->first.result, CallResult::kTrap);
  EXPECT_EQ(Find(evidence, "getsid")->first.result, CallResult::kKillProcess);
  EXPECT_TRUE(evidence.IsComplete()) << LossesOf(evidence);
}

TEST(StraceReader, Tables) {
  const Evidence evidence = ReadText(
      "% time     seconds  usecs/call     calls    errors syscall\n"
      "------ ----------- ----------- --------- --------- ----------------\n"
      "100.00    0.000004           4         1           write\n"
      "  0.00    0.000000           0         5         2 unshare\n"
      "------ ----------- ----------- --------- --------- ----------------\n"
      "100.00    0.000004           0         6         2 total\n"
      "System call usage summary for 32 bit mode:\n"
      "syscall              calls    errors  longest\n"
      "---------------- --------- --------- --------\n"
      "accept                   2           0.000396\n"
      "---------------- --------- --------- --------\n"
      "total                    2           0.000396\n");
  EXPECT_TRUE(evidence.IsComplete()) << LossesOf(evidence);
  EXPECT_EQ(evidence.calls().size(), 4u);
  uint64_t failed = 0;
  for (const auto& [call, facts] : evidence.calls()) {
    if (call.result == CallResult::kUnknown) failed += facts.count;
  }
  EXPECT_EQ(failed, 2u);
  EXPECT_EQ(Find(evidence, "write")->second.count, 1u);
  EXPECT_EQ(Find(evidence, "socketcall", Arch::kX86)->second.count, 2u);
  EXPECT_TRUE(evidence.completeness.unseen.contains("arguments"));
  // After the calls themselves (-C) it tells nothing new.
  const Evidence both = ReadText(
      "write(1, \"\", 0) = 0\n% time     seconds  usecs/call     calls    errors syscall\n"
      "------ ----------- ----------- --------- --------- ----------------\n"
      "100.00    0.000004           4         1           write\n"
      "------ ----------- ----------- --------- --------- ----------------\n"
      "100.00    0.000004           0         1           total\n");
  EXPECT_EQ(Find(both, "write")->second.count, 1u);
}

// Of a process of 32 bits, the first table has a mode already; the next file's has none again.
TEST(StraceReader, TablesOfOtherModes) {
  const std::string table =
      "syscall              calls    errors  longest\n"
      "---------------- --------- --------- --------\n"
      "getppid                  2           0.000396\n"
      "---------------- --------- --------- --------\n"
      "total                    2           0.000396\n";
  StraceReader reader({.arch = Arch::kX86_64});
  reader.BeginFile(0);
  reader.Feed("System call usage summary for 32 bit mode:\n" + table);
  reader.EndFile();
  reader.BeginFile(0);
  reader.Feed(table);
  reader.EndFile();
  const Evidence evidence = reader.Take();
  EXPECT_NE(Find(evidence, "getppid", Arch::kX86), nullptr);
  EXPECT_NE(Find(evidence, "getppid", Arch::kX86_64), nullptr);
}

TEST(StraceReader, WhoCalled) {
  const Evidence evidence = ReadText(
      "7  execve(\"/bin/a\", [], []) = 0\n"
      "7  socket(AF_UNIX, SOCK_STREAM, 0) = 3\n"
      " > /usr/lib/x86_64-linux-gnu/libc.so.6(__socket+0x7) [0x10adc7]\n"
      " > /usr/lib/libuv.so.1(uv__x+0x23) [0x12cd]\n"
      " > /bin/a(main+0x1) [0x1]\n"
      "7  getpid() = 7\n"
      " > /usr/lib/x86_64-linux-gnu/libc.so.6(getpid+0x7) [0x10adc7]\n"
      "7  +++ exited with 0 +++\n");
  EXPECT_EQ(Find(evidence, "socket")->second.location, "/usr/lib/libuv.so.1");
  EXPECT_EQ(Find(evidence, "socket")->second.symbol, "uv__x+0x23");
  EXPECT_EQ(Find(evidence, "getpid")->second.location, "/usr/lib/x86_64-linux-gnu/libc.so.6");
  EXPECT_EQ(Find(evidence, "getpid")->second.symbol, "getpid+0x7");
}

}  // namespace
}  // namespace portcullis::insight
