// Our filters beside libseccomp's (linear and binary tree) in one run: size, longest path, time to make, time to
// attach, cost of a call. Figures are medians; every goal is printed with its ratio. Run it on an idle machine.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>

#include "engine/filter/compile.h"
#include "engine/seccomp/capabilities.h"
#include "engine/seccomp/library.h"
#include "engine/seccomp/resolve.h"
#include "host/libseccomp/libseccomp_filter.h"

namespace portcullis {
namespace {

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

double TimeMs(int runs, const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const double start = Now();
    work();
    times.push_back(1000 * (Now() - start));
  }
  return Median(times);
}

bool Attach(const bpf::Program& program, unsigned flags) {
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()),
                          .filter = reinterpret_cast<sock_filter*>(const_cast<bpf::Insn*>(program.data()))};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter) == 0;
}

// What `work` measured in a child process, because a filter stays for good; negative: it could not.
double InChild(const std::function<double()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    const double result = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? work() : -1;
    ::_exit(::write(ends[1], &result, sizeof result) == sizeof result ? 0 : 1);
  }
  ::close(ends[1]);
  double result = -1;
  if (::read(ends[0], &result, sizeof result) != sizeof result) result = -1;
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return result;
}

double AttachOnceUs(const bpf::Program& program) {
  return InChild([&] {
    const double start = Now();
    const bool attached = Attach(program, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
    return attached ? 1e6 * (Now() - start) : -1;
  });
}

// In turn, so that what else the machine does falls on all alike.
std::vector<double> AttachUs(const std::vector<const bpf::Program*>& programs) {
  std::vector<std::vector<double>> times(programs.size());
  for (int round = 0; round < 101; ++round) {
    for (size_t i = 0; i < programs.size(); ++i) times[i].push_back(AttachOnceUs(*programs[i]));
  }
  std::vector<double> medians;
  for (auto& samples : times) medians.push_back(Median(std::move(samples)));
  return medians;
}

struct Call {
  const char* name;
  long number;
  unsigned long arg;
};
constexpr Call kCalls[] = {
    {"allowed (getppid)", SYS_getppid, 0},
    {"argument-tested (personality)", SYS_personality, 0xffffffff},
    {"denied (unshare)", SYS_unshare, 0},
};

// A filter that reads an argument of every call and allows it: no call can be in the kernel's bitmap of allowed ones.
bpf::Program CacheDefeater() {
  return {{bpf::kLoad, 0, 0, bpf::ArgOffset(5, true)},
          {bpf::kJumpEq, 0, 1, 0x12345678},
          {bpf::kReturn, 0, 0, filter::kReturnAllow},
          {bpf::kReturn, 0, 0, filter::kReturnAllow}};
}

// Nanoseconds of one call: the least of several rounds, in the best of several processes.
double CallNs(const bpf::Program* program, bool defeat_cache, const Call& call) {
  double best = -1;
  for (int i = 0; i < 5; ++i) {
    const double ns = InChild([&] {
      if (defeat_cache && !Attach(CacheDefeater(), SECCOMP_FILTER_FLAG_SPEC_ALLOW)) return -1.0;
      if (program != nullptr && !Attach(*program, SECCOMP_FILTER_FLAG_SPEC_ALLOW)) return -1.0;
      constexpr int kCallsARound = 20000;
      double least = 1e9;
      for (int round = 0; round < 15; ++round) {
        const double start = Now();
        for (int n = 0; n < kCallsARound; ++n) ::syscall(call.number, call.arg, 0, 0, 0, 0, 0);
        least = std::min(least, 1e9 * (Now() - start) / kCallsARound);
      }
      return least;
    });
    if (best < 0 || (ns >= 0 && ns < best)) best = ns;
  }
  return best;
}

int missed = 0;

void Goal(const char* what, double value, double most) {
  const bool met = value <= most;
  missed += met ? 0 : 1;
  std::printf("  %-58s %8.2f  (goal at most %g) %s\n", what, value, most, met ? "met" : "MISSED");
}

struct Peers {
  bpf::Program ours;
  bpf::Program linear;
  bpf::Program tree;
};

Result<void> BenchProfile(const char* name) {
  auto found = seccomp::FindDefaultProfile(name);
  if (!found) return Failure(found.error());
  auto resolved = seccomp::Resolve(found->profile, {.bounding = seccomp::DockerDefaultCapabilities(),
                                                    .host = syscalls::NativeArch(),
                                                    .kernel = seccomp::KernelVersion{6, 18},
                                                    .flavour = found->flavour});
  if (!resolved) return Failure(resolved.error());
  const double start = Now();
  auto first = filter::Compile(*resolved);
  const double first_ms = 1000 * (Now() - start);
  if (!first) return Failure(first.error());
  auto linear = host::BuildWithLibseccomp(*resolved, host::Shape::kLinear);
  auto tree = host::BuildWithLibseccomp(*resolved, host::Shape::kBinaryTree);
  if (!linear) return Failure(linear.error());
  if (!tree) return Failure(tree.error());
  const Peers peers{first->program, *linear, *tree};
  std::printf("\n%s@%s, %zu architectures\n", name, found->release.c_str(), resolved->architectures.size());
  std::printf("  %-34s %10s %10s %10s\n", "", "ours", "linear", "tree");
  std::printf("  %-34s %10zu %10zu %10zu\n", "instructions", peers.ours.size(), peers.linear.size(), peers.tree.size());
  std::printf("  %-34s %10zu %10zu %10zu\n", "longest path", bpf::LongestPath(peers.ours),
              bpf::LongestPath(peers.linear), bpf::LongestPath(peers.tree));
  const double ours_ms = TimeMs(101, [&] { (void)filter::Compile(*resolved); });
  const double linear_ms = TimeMs(5, [&] { (void)host::BuildWithLibseccomp(*resolved, host::Shape::kLinear); });
  const double tree_ms = TimeMs(5, [&] { (void)host::BuildWithLibseccomp(*resolved, host::Shape::kBinaryTree); });
  std::printf("  %-34s %10.3f %10.3f %10.3f   (our first in this process %.3f)\n", "make it, ms", ours_ms, linear_ms,
              tree_ms, first_ms);
  const std::vector<double> attach = AttachUs({&peers.ours, &peers.linear, &peers.tree});
  const double ours_us = attach[0], linear_us = attach[1], tree_us = attach[2];
  std::printf("  %-34s %10.1f %10.1f %10.1f\n", "attach it, us", ours_us, linear_us, tree_us);
  for (const bool defeat : {false, true}) {
    for (const Call& call : kCalls) {
      const double none = CallNs(nullptr, defeat, call);
      std::printf("  %-34s %10.0f %10.0f %10.0f   ns %s (%.0f without)\n", call.name, CallNs(&peers.ours, defeat, call),
                  CallNs(&peers.linear, defeat, call), CallNs(&peers.tree, defeat, call),
                  defeat ? "cache defeated" : "a call", none);
    }
  }
  Goal("instructions", static_cast<double>(peers.ours.size()), 300);
  Goal("longest path", static_cast<double>(bpf::LongestPath(peers.ours)), 24);
  Goal("compile, ms", ours_ms, 0.3);
  Goal("attach, of libseccomp's tree", ours_us / tree_us, 0.40);
  Goal("attach, of libseccomp's linear filter", ours_us / linear_us, 0.15);
  return {};
}

int Main() {
  for (const char* name : {"containerd", "cri-o", "docker"}) {
    if (const auto done = BenchProfile(name); !done) {
      std::fprintf(stderr, "engine_bench: %s: %s\n", name, done.error().message.c_str());
      return 2;
    }
  }
  std::printf("\n%d goal%s missed\n", missed, missed == 1 ? "" : "s");
  return 0;
}

}  // namespace
}  // namespace portcullis

int main() { return portcullis::Main(); }
