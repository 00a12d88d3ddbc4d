#include "host/confine/confine.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/files.h"
#include "base/spawn.h"
#include "engine/filter/prove.h"
#include "engine/seccomp/profile_json.h"
#include "engine/seccomp/resolve.h"

namespace portcullis::host {
namespace {

// What a confined process ends with when it does `act`: its exit code, or -signal.
int Confined(ConfineMode mode, int (*act)()) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (const auto done = Confine(mode, [] {}); !done) {
      std::fprintf(stderr, "%s\n", done.error().message.c_str());
      std::_Exit(99);
    }
    std::_Exit(act());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int ErrnoOf(long result) { return result < 0 ? errno : 0; }

TEST(Confine, WhatNothingNeedsKills) {
  EXPECT_EQ(Confined(ConfineMode::kEnforce, [] { return ErrnoOf(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }),
            -SIGSYS);
  EXPECT_EQ(Confined(ConfineMode::kEnforce, [] { return ErrnoOf(::syscall(SYS_bpf, BPF_MAP_CREATE, nullptr, 0)); }),
            -SIGSYS);
  EXPECT_EQ(Confined(ConfineMode::kEnforce, [] { return ErrnoOf(::syscall(SYS_init_module, nullptr, 0, "")); }),
            -SIGSYS);
}

TEST(Confine, OtherCallsAreDenied) {
  EXPECT_EQ(Confined(ConfineMode::kEnforce, [] { return ErrnoOf(::execl("/bin/true", "true", nullptr)); }), EPERM);
  EXPECT_EQ(Confined(ConfineMode::kEnforce,
                     [] {
                       const pid_t child = ::fork();
                       if (child == 0) std::_Exit(0);
                       return ErrnoOf(child);
                     }),
            EPERM);
  EXPECT_EQ(Confined(ConfineMode::kEnforce, [] { return ErrnoOf(::socket(AF_ALG, SOCK_SEQPACKET, 0)); }), EPERM);
  EXPECT_EQ(Confined(ConfineMode::kEnforce, [] { return ErrnoOf(::chroot("/")); }), EPERM);
}

TEST(Confine, WhatADaemonDoesGoesOn) {
  EXPECT_EQ(Confined(ConfineMode::kEnforce,
                     [] {
                       int answer = 1;
                       std::thread([&answer] { answer = 0; }).join();
                       return answer;
                     }),
            0);
  EXPECT_EQ(Confined(ConfineMode::kEnforce, [] { return ErrnoOf(::socket(AF_INET6, SOCK_STREAM, 0)); }), 0);
}

TEST(Confine, ProgramsAreStartedUnconfined) {
  EXPECT_EQ(Confined(ConfineMode::kEnforce,
                     [] {
                       const auto status = base::ReadFile("/proc/self/status");
                       const bool self = status && status->find("\nSeccomp:\t2\n") != std::string::npos &&
                                         status->find("\nNoNewPrivs:\t1\n") != std::string::npos;
                       const auto child = base::RunCommand({.spawn = {.argv = {"cat", "/proc/self/status"}}});
                       const auto before = base::ReadFile("/proc/1/status");  // outside of this test's own filters
                       const bool free = child && child->out.find("\nNoNewPrivs:\t0\n") != std::string::npos;
                       return self && free && before ? 0 : 1;
                     }),
            0);
}

TEST(Confine, LogModeDeniesNothing) {
  EXPECT_EQ(Confined(ConfineMode::kLog, [] { return ErrnoOf(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }), 0);
  EXPECT_EQ(Confined(ConfineMode::kLog, [] { return ErrnoOf(::chroot("/")); }), 0);
}

TEST(Confine, FilterIsProven) {
  const auto profile = seccomp::ParseProfile(kDaemonProfile, "daemon");
  ASSERT_TRUE(profile) << profile.error().message;
  const auto resolved = seccomp::Resolve(*profile, {});
  ASSERT_TRUE(resolved);
  const auto filter = DaemonFilter(ConfineMode::kEnforce);
  ASSERT_TRUE(filter);
  const auto verdict = filter::Prove(filter->program, filter::Describe(*resolved));
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->equal);
}

TEST(Confine, ModesByName) {
  EXPECT_EQ(ParseConfineMode("log").value(), ConfineMode::kLog);
  EXPECT_FALSE(ParseConfineMode("on"));
}

}  // namespace
}  // namespace portcullis::host
