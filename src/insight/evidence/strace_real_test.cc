// Traces that strace itself writes, with every option that changes their form.
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
#include <thread>

#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "engine/syscalls/syscalls.h"
#include "insight/evidence/strace_reader.h"
#include "insight/evidence/test_shared.h"
#include "insight/evidence/trace_file.h"

namespace portcullis::insight {
namespace {

using syscalls::Arch;
using testing::ElementsAre;

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
  if (!base::RunCommand({.spawn = {.argv = {program}}}))
    GTEST_SKIP() << "this kernel runs no 32-bit programs (CONFIG_IA32_EMULATION)";
  // -n has the kernel's numbers.
  Strace({"-f", "-n", "-o", folder_ + "/trace"}, {program});
  const Evidence exact = ReadAll({folder_ + "/trace"});
  EXPECT_TRUE(exact.IsComplete()) << LossesOf(exact);
  EXPECT_NE(Find(exact, "socketcall", Arch::kX86, 1), nullptr);
  ASSERT_NE(Find(exact, "socket", Arch::kX86, AF_UNIX), nullptr);
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
