#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "engine/syscalls/syscalls.h"
#include "insight/evidence/strace_call.h"
#include "insight/evidence/strace_line.h"
#include "insight/evidence/strace_reader.h"
#include "insight/evidence/trace_file.h"

namespace portcullis::insight {
namespace {

using syscalls::Arch;
using testing::ElementsAre;

// ---- one line

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

// ---- whole traces, as text

Evidence ReadText(std::string_view text, size_t piece = SIZE_MAX) {
  StraceReader reader({.arch = Arch::kX86_64});
  reader.BeginFile(0);
  for (size_t at = 0; at < text.size(); at += std::min(piece, text.size())) reader.Feed(text.substr(at, piece));
  reader.EndFile();
  return reader.Take();
}

const std::pair<const Call, CallFacts>* Find(const Evidence& evidence, std::string_view name, Arch arch = Arch::kX86_64,
                                             std::optional<uint64_t> first_argument = std::nullopt) {
  const auto number = syscalls::NumberOf(arch, name);
  for (const auto& entry : evidence.calls()) {
    const Call& call = entry.first;
    if (call.number != number || call.audit_arch != syscalls::InfoOf(arch).audit_arch) continue;
    if (first_argument && (call.arguments.empty() || call.arguments[0].value != *first_argument)) continue;
    return &entry;
  }
  return nullptr;
}

std::string LossesOf(const Evidence& evidence) {
  std::string out;
  for (const Loss& loss : evidence.completeness.losses) out += fmt::format("{} {}; ", loss.count, loss.why);
  return out;
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

// ---- strace itself

// This program again, as what strace watches.
struct Subject {
  Subject() {
    const char* wanted = ::getenv("PORTCULLIS_STRACE_SUBJECT");
    if (wanted == nullptr) return;
    (void)!::write(STDERR_FILENO, "a line of its own\n", 18);
    ::close(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    (void)::socket(AF_VSOCK, 77, 0);
    (void)::personality(0xffffffff);
    (void)::syscall(SYS_mbind, 0, 0, 3, 0, 0, 0);
    (void)::syscall(SYS_unshare, 0x123);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    (void)::ioctl(null, TIOCSTI, "x");
    std::thread([] { (void)::syscall(SYS_setns, -1, CLONE_NEWUTS); }).join();
    if (const pid_t child = ::fork(); child == 0) {
      ::execl("/bin/true", "true", nullptr);
      ::_exit(9);
    } else {
      ::waitpid(child, nullptr, 0);
    }
    // A filter with every answer that strace can see.
    for (const char kind : {'e', 't', 'k'}) {
      const pid_t child = ::fork();
      if (child == 0) Filtered(kind);
      ::waitpid(child, nullptr, 0);
    }
    ::_exit(0);
  }

  [[noreturn]] static void Filtered(char kind) {
    sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsid, 0, 1),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
                          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    sock_fprog program{8, code};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    if (kind == 'e') (void)::syscall(SYS_getpgid, 0);
    if (kind == 't') (void)::syscall(SYS_getppid);
    if (kind == 'k') (void)::syscall(SYS_getsid, 0);
    ::_exit(0);
  }
};
const Subject subject;

class RealStrace : public testing::Test {
 protected:
  void SetUp() override {
    const auto version = base::RunCommand({.spawn = {.argv = {"strace", "-V"}}});
    ASSERT_TRUE(version) << "the package strace is needed: " << version.error().message;
    char folder[] = "/tmp/portcullis-strace-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
    std::error_code error;
    self_ = std::filesystem::read_symlink("/proc/self/exe", error).string();
  }
  void TearDown() override { ASSERT_TRUE(base::RemoveTree(folder_)); }

  base::CommandResult Strace(std::vector<std::string> options, std::vector<std::string> command = {}) {
    std::vector<std::string> argv{"strace"};
    argv.insert(argv.end(), options.begin(), options.end());
    if (command.empty()) command = {self_};
    argv.insert(argv.end(), command.begin(), command.end());
    auto run = base::RunCommand(
        {.spawn = {.argv = argv,
                   .env = std::vector<std::string>{"PORTCULLIS_STRACE_SUBJECT=1", "PATH=/usr/bin:/bin"}}});
    EXPECT_TRUE(run) << run.error().message;
    return run ? *run : base::CommandResult{};
  }

  Evidence ReadAll(std::vector<std::string> paths) {
    StraceReader reader;
    const auto read = reader.Read(std::move(paths));
    EXPECT_TRUE(read) << read.error().message;
    EXPECT_EQ(reader.counts().others, 0u);
    return reader.Take();
  }

  // What the subject did, however strace wrote it.
  void ExpectSubject(const Evidence& evidence, bool filter_answers = true, bool knows_programs = true) {
    const std::string text = FormatTrace(evidence);
    const auto* inet = Find(evidence, "socket", syscalls::NativeArch(), AF_INET);
    ASSERT_NE(inet, nullptr) << text;
    EXPECT_THAT(inet->first.arguments,
                ElementsAre(CallArgument{0, AF_INET}, CallArgument{1, SOCK_STREAM | SOCK_CLOEXEC}, CallArgument{2, 0}));
    EXPECT_EQ(inet->first.result, CallResult::kAllowed);
    if (knows_programs) {
      EXPECT_EQ(inet->first.executable, self_);
    }
    ASSERT_NE(Find(evidence, "socket", syscalls::NativeArch(), AF_VSOCK), nullptr) << text;
    EXPECT_NE(Find(evidence, "socket", syscalls::NativeArch(), AF_VSOCK)->first.error, 0);
    EXPECT_NE(Find(evidence, "personality", syscalls::NativeArch(), 0xffffffff), nullptr) << text;
    EXPECT_NE(Find(evidence, "mbind", syscalls::NativeArch(), 3), nullptr) << text;
    EXPECT_NE(Find(evidence, "unshare", syscalls::NativeArch(), 0x123), nullptr) << text;
    EXPECT_NE(Find(evidence, "ioctl", syscalls::NativeArch(), TIOCSTI), nullptr) << text;
    ASSERT_NE(Find(evidence, "setns", syscalls::NativeArch(), CLONE_NEWUTS), nullptr) << text;
    EXPECT_EQ(Find(evidence, "setns")->first.error, EBADF);
    if (knows_programs) {
      EXPECT_EQ(Find(evidence, "setns")->first.executable, self_) << "a thread's";
    }
    ASSERT_NE(Find(evidence, "getpgid"), nullptr) << text;
    EXPECT_EQ(Find(evidence, "getpgid")->first.result, CallResult::kErrno) << text;
    if (filter_answers) {
      ASSERT_NE(Find(evidence, "getppid"), nullptr) << text;
      EXPECT_EQ(Find(evidence, "getppid")->first.result, CallResult::kTrap) << text;
      ASSERT_NE(Find(evidence, "getsid"), nullptr) << text;
      EXPECT_EQ(Find(evidence, "getsid")->first.result, CallResult::kKillProcess) << text;
    }
    if (knows_programs) {
      const bool ran_true = std::ranges::any_of(
          evidence.calls(), [](const auto& entry) { return entry.first.executable == "/bin/true"; });
      EXPECT_TRUE(ran_true) << text;
    }
    EXPECT_TRUE(evidence.IsComplete()) << LossesOf(evidence);
  }

  std::string folder_;
  std::string self_;
};

TEST_F(RealStrace, EveryForm) {
  for (const std::string options :
       {"-f", "-f -t", "-f -tt -T", "-f -ttt", "-f -r", "-f -tt -r -n -i", "-f -y", "-f -yy -Y", "-f -X raw",
        "-f -X verbose", "-f -v -s 0", "-f -a 1", "-f -k", "-f -q -q", "-f -C",
        "-f --absolute-timestamps=format:unix,precision:ns", "-f --seccomp-bpf"}) {
    SCOPED_TRACE(options);
    std::vector<std::string> words = base::Split(options, ' ');
    words.insert(words.end(), {"-o", folder_ + "/trace"});
    Strace(words);
    const Evidence evidence = ReadAll({folder_ + "/trace"});
    ExpectSubject(evidence);
    const auto* inet = Find(evidence, "socket", syscalls::NativeArch(), AF_INET);
    ASSERT_NE(inet, nullptr);
    EXPECT_EQ(inet->second.first != 0,
              options.find("ttt") != std::string::npos || options.find("unix") != std::string::npos);
    // The address of execve's environment shows the mode; -v shows the environment instead.
    EXPECT_EQ(evidence.completeness.unseen.contains(
                  "whether programs that made few calls ran in 32 bit mode (strace -n tells)"),
              options.find("-v") != std::string::npos);
    EXPECT_EQ(inet->second.address != 0, options.find("-i") != std::string::npos);
    EXPECT_EQ(!inet->second.location.empty(), options.find("-k") != std::string::npos);
    if (options == "-f -k") {
      EXPECT_NE(inet->second.location.find("insight_evidence_test"), std::string::npos) << inet->second.location;
    }
  }
}

TEST_F(RealStrace, RawArgumentsHaveNoProgramNames) {
  Strace({"-f", "-e", "raw=all", "-o", folder_ + "/trace"});
  ExpectSubject(ReadAll({folder_ + "/trace"}), true, false);
}

TEST_F(RealStrace, OneFileAProcess) {
  Strace({"-ff", "-o", folder_ + "/trace"});
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) paths.push_back(entry.path().string());
  EXPECT_EQ(paths.size(), 6u);
  ExpectSubject(ReadAll(paths));
  // Compressed they are read the same; with one missing, they say so.
  const auto packed = base::RunCommand({.spawn = {.argv = [&] {
                                          std::vector<std::string> argv{"gzip"};
                                          argv.insert(argv.end(), paths.begin(), paths.end());
                                          return argv;
                                        }()}});
  ASSERT_TRUE(packed && packed->exit_code == 0);
  for (std::string& path : paths) path += ".gz";
  ExpectSubject(ReadAll(paths));
  std::ranges::sort(paths);
  paths.pop_back();
  StraceReader reader;
  ASSERT_TRUE(reader.Read(paths));
  EXPECT_FALSE(reader.Take().IsComplete());
}

TEST_F(RealStrace, MixedWithTheProgramsOutput) {
  const auto run = Strace({"-f"});
  ASSERT_TRUE(base::WriteFileAtomic(folder_ + "/mixed", run.err));
  StraceReader reader;
  ASSERT_TRUE(reader.Read({folder_ + "/mixed"}));
  ExpectSubject(reader.Take());
}

TEST_F(RealStrace, WithoutFollowingItIsIncomplete) {
  Strace({"-o", folder_ + "/trace"});
  StraceReader reader;
  ASSERT_TRUE(reader.Read({folder_ + "/trace"}));
  const Evidence evidence = reader.Take();
  EXPECT_NE(LossesOf(evidence).find("5 child processes"), std::string::npos) << LossesOf(evidence);
}

TEST_F(RealStrace, Table) {
  Strace({"-c", "-f", "-o", folder_ + "/trace"});
  const Evidence evidence = ReadAll({folder_ + "/trace"});
  const auto* execve = Find(evidence, "execve");
  ASSERT_NE(execve, nullptr);
  EXPECT_EQ(execve->second.count, 2u);
  EXPECT_TRUE(evidence.completeness.unseen.contains("arguments"));
}

// A program of 32 bits without a C library: socketcall(SYS_SOCKET), socket, exit; by hand, so that no compiler is
// needed.
std::string Program32() {
  std::string code;
  const auto byte = [&code](std::initializer_list<int> bytes) {
    for (const int one : bytes) code += static_cast<char>(one);
  };
  const auto word = [&code](uint32_t value) {
    for (int i = 0; i < 4; ++i) code += static_cast<char>(value >> (8 * i));
  };
  constexpr uint32_t kBase = 0x08048000;
  constexpr uint32_t kHeaders = 52 + 32;
  byte({0xb8}), word(102);  // mov eax, socketcall
  byte({0xbb}), word(1);    // mov ebx, SYS_SOCKET
  byte({0xb9}), word(0);    // mov ecx, arguments (filled in below)
  byte({0xcd, 0x80});       // int 0x80
  byte({0xb8}), word(359), byte({0xbb}), word(1), byte({0xb9}), word(1), byte({0xba}), word(0),
      byte({0xcd, 0x80});                                            // socket
  byte({0xb8}), word(1), byte({0xbb}), word(0), byte({0xcd, 0x80});  // exit
  const auto arguments = static_cast<uint32_t>(kBase + kHeaders + code.size());
  for (size_t i = 0; i < 4; ++i) code[11 + i] = static_cast<char>(arguments >> (8 * i));
  word(1), word(1), word(0);  // AF_UNIX, SOCK_STREAM, 0
  std::string body;
  std::swap(body, code);
  byte({0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  byte({2, 0, 3, 0}), word(1), word(kBase + kHeaders), word(52), word(0), word(0);
  byte({52, 0, 32, 0, 1, 0, 40, 0, 0, 0, 0, 0});
  word(1), word(0), word(kBase), word(kBase), word(static_cast<uint32_t>(kHeaders + body.size()));
  word(static_cast<uint32_t>(kHeaders + body.size())), word(5), word(4096);
  return code + body;
}

TEST_F(RealStrace, Programs32BitsWide) {
  if (syscalls::NativeArch() != Arch::kX86_64) GTEST_SKIP() << "the program is for x86";
  const std::string program = folder_ + "/p32";
  ASSERT_TRUE(base::WriteFileAtomic(program, Program32(), 0755));
  // -n has the kernel's numbers.
  Strace({"-f", "-n", "-o", folder_ + "/trace"}, {program});
  const Evidence exact = ReadAll({folder_ + "/trace"});
  EXPECT_TRUE(exact.IsComplete()) << LossesOf(exact);
  EXPECT_NE(Find(exact, "socketcall", Arch::kX86, 1), nullptr);
  EXPECT_NE(Find(exact, "socket", Arch::kX86, AF_UNIX), nullptr);
  EXPECT_NE(Find(exact, "execve", Arch::kX86_64), nullptr);
  EXPECT_EQ(Find(exact, "socket", Arch::kX86)->first.executable, program);
  // Without it both look like socket; and with -o, nothing tells of so short a program that it is of 32 bits.
  Strace({"-f", "-o", folder_ + "/trace"}, {program});
  EXPECT_TRUE(
      ReadAll({folder_ + "/trace"})
          .completeness.unseen.contains("whether programs that made few calls ran in 32 bit mode (strace -n tells)"));
  ASSERT_TRUE(base::WriteFileAtomic(folder_ + "/trace", Strace({"-f"}, {program}).err));
  StraceReader reader;
  ASSERT_TRUE(reader.Read({folder_ + "/trace"}));
  const Evidence blurred = reader.Take();
  EXPECT_EQ(Find(blurred, "socket", Arch::kX86, AF_UNIX)->second.count, 2u);
  EXPECT_FALSE(blurred.IsComplete());
  // In a file of its own, a child of 32 bits does not say that it is one.
  Strace({"-ff", "-n", "-o", folder_ + "/ff"}, {"sh", "-c", program + "; " + program});
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().filename().string().starts_with("ff.")) paths.push_back(entry.path().string());
  }
  const Evidence split = ReadAll(paths);
  EXPECT_TRUE(split.IsComplete()) << LossesOf(split);
  EXPECT_NE(Find(split, "socketcall", Arch::kX86, 1), nullptr);
}

TEST_F(RealStrace, WhatIsNoTraceIsRefused) {
  ASSERT_TRUE(base::WriteFileAtomic(folder_ + "/text", "hello\nworld\n"));
  StraceReader reader;
  const auto read = reader.Read({folder_ + "/text"});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, folder_ + "/text: holds no line of strace's");
  EXPECT_FALSE(reader.Read({folder_ + "/absent"}));
}

}  // namespace
}  // namespace portcullis::insight
