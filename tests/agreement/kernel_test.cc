// A compiled default profile in this machine's kernel: a child process installs it, makes calls, and tells what they
// answered; that is compared with filter::Answer.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/filter/compile.h"
#include "engine/seccomp/capabilities.h"
#include "engine/seccomp/library.h"
#include "engine/seccomp/resolve.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis {
namespace {

struct Probe {
  long number;
  std::array<uint64_t, 6> args;
  bool filtered;  // the filter denies it; else the kernel itself answers
};

// The errno of each call in a child under the filter; 0 where it succeeded. -1: the child did not report.
std::vector<int> ErrnosUnder(const filter::Filter& compiled, std::span<const Probe> probes) {
  std::vector<int> errnos(probes.size(), -1);
  int pipe_ends[2];
  EXPECT_EQ(::pipe(pipe_ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(5);
    const sock_fprog program{.len = static_cast<unsigned short>(compiled.program.size()),
                             .filter = reinterpret_cast<sock_filter*>(const_cast<bpf::Insn*>(compiled.program.data()))};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(2);
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, compiled.flags, &program) != 0) ::_exit(3);
    for (size_t i = 0; i < probes.size(); ++i) {
      const auto& a = probes[i].args;
      const long result = ::syscall(probes[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
      errnos[i] = result == -1 ? errno : 0;
    }
    const auto bytes = static_cast<ssize_t>(errnos.size() * sizeof(int));
    ::_exit(::write(pipe_ends[1], errnos.data(), static_cast<size_t>(bytes)) == bytes ? 0 : 4);
  }
  ::close(pipe_ends[1]);
  const ssize_t got = ::read(pipe_ends[0], errnos.data(), errnos.size() * sizeof(int));
  ::close(pipe_ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(got, static_cast<ssize_t>(errnos.size() * sizeof(int)));
  return errnos;
}

TEST(Kernel, AnswersAsTheProfileIsWritten) {
  const Probe probes[] = {
      {SYS_getppid, {}, false},
      {SYS_unshare, {CLONE_NEWUSER}, true},
      {SYS_clone3, {0, 0}, true},
      {SYS_personality, {0xffffffff}, false},
      {SYS_personality, {1}, true},
      {SYS_personality, {UINT64_MAX}, true},  // sign-extended: not the 32-bit value that the rule names
      {SYS_socket, {AF_UNIX, SOCK_STREAM}, false},
      {SYS_socket, {40 /* AF_VSOCK */, SOCK_STREAM}, true},
      {SYS_socket, {38 /* AF_ALG */, SOCK_SEQPACKET}, true},
      {SYS_kexec_load, {}, true},
      {9999, {}, true},
  };
  for (const char* name : {"containerd", "docker"}) {
    const auto found = seccomp::FindDefaultProfile(name);
    const auto resolved = seccomp::Resolve(found->profile, {.bounding = seccomp::DockerDefaultCapabilities(),
                                                            .host = syscalls::NativeArch(),
                                                            .kernel = seccomp::KernelVersion{6, 1},
                                                            .flavour = found->flavour});
    ASSERT_TRUE(resolved) << resolved.error().message;
    const auto compiled = filter::Compile(*resolved);
    ASSERT_TRUE(compiled) << compiled.error().message;
    const filter::Behaviour behaviour = filter::Describe(*resolved);
    const std::vector<int> errnos = ErrnosUnder(*compiled, probes);
    for (size_t i = 0; i < errnos.size(); ++i) {
      const uint32_t answer = filter::Answer(behaviour, syscalls::InfoOf(syscalls::NativeArch()).audit_arch,
                                             static_cast<uint32_t>(probes[i].number), probes[i].args);
      EXPECT_EQ(answer != filter::kReturnAllow, probes[i].filtered) << name << ", probe " << i;
      const int wanted = answer == filter::kReturnAllow ? 0 : static_cast<int>(answer & 0xffff);
      EXPECT_EQ(errnos[i], wanted) << name << ", probe " << i;
    }
  }
}

}  // namespace
}  // namespace portcullis
