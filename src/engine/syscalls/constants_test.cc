#include "engine/syscalls/constants.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/sched.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "engine/syscalls/constants_table.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::syscalls {
namespace {

TEST(Constants, Expressions) {
  const auto value = [](std::string_view text) { return ConstantValue(Arch::kX86_64, text); };
  EXPECT_EQ(value("CLONE_NEWUSER|CLONE_FS|0x10|SIGCHLD"), CLONE_NEWUSER | CLONE_FS | 0x10u | 17u);
  EXPECT_EQ(value("AF_ALG"), uint64_t{AF_ALG});
  EXPECT_EQ(value("AF_LOCAL"), uint64_t{AF_UNIX});
  EXPECT_EQ(value("SOCK_STREAM|SOCK_CLOEXEC"), uint64_t{SOCK_STREAM | SOCK_CLOEXEC});
  EXPECT_EQ(value("0x10000000 /* CLONE_NEWUSER */"), 0x10000000u);
  EXPECT_EQ(value("PER_LINUX|ADDR_NO_RANDOMIZE"), uint64_t{ADDR_NO_RANDOMIZE});
  EXPECT_EQ(value("21<<26"), uint64_t{21} << 26);
  EXPECT_EQ(value("0600"), 0600u);
  EXPECT_EQ(value("NULL"), 0u);
  EXPECT_EQ(value("0"), 0u);
  EXPECT_EQ(value("-1"), UINT64_MAX);
  EXPECT_EQ(ConstantValue(Arch::kX86, "-1"), UINT32_MAX);
  EXPECT_EQ(value("AT_FDCWD"), static_cast<uint64_t>(AT_FDCWD));
  EXPECT_EQ(ConstantValue(Arch::kX86, "AT_FDCWD"), static_cast<uint32_t>(AT_FDCWD));
  EXPECT_EQ(value("0xffffffffffffffff"), UINT64_MAX);
  for (const char* bad : {"", "|", "CLONE_NEWUSER|", "AF_NOTHING", "\"x\"", "{a=1}", "0x", "0x1g", "08", "1<<64", "1<<",
                          "0x10000000000000000", "1 /* open", "--1", "..."}) {
    EXPECT_EQ(value(bad), std::nullopt) << bad;
  }
}

TEST(Constants, PlacesDiffer) {
  EXPECT_EQ(ConstantValue(Arch::kMips64, "SOCK_STREAM"), 2u);
  EXPECT_EQ(DescribeArgument(Arch::kMipsel, "socket", 1, 2 | 0x80), "SOCK_STREAM|SOCK_NONBLOCK");
  EXPECT_EQ(DescribeArgument(Arch::kX86_64, "socket", 1, 2 | 0x800), "SOCK_DGRAM|SOCK_NONBLOCK");
  EXPECT_EQ(ConstantValue(Arch::kMips, "TIOCSTI"), 0x5472u);
  EXPECT_EQ(ConstantValue(Arch::kMips, "O_WRONLY|O_CREAT|O_EXCL"), 0x501u);
  EXPECT_EQ(ConstantValue(Arch::kPpc64le, "MAP_LOCKED"), 0x80u);
  EXPECT_EQ(ConstantValue(Arch::kAarch64, "TIOCSTI"), 0x5412u);
}

TEST(Constants, Described) {
  const auto text = [](std::string_view call, int index, uint64_t value) {
    return DescribeArgument(Arch::kX86_64, call, index, value);
  };
  EXPECT_EQ(text("socket", 0, 38), "AF_ALG");
  EXPECT_EQ(text("socket", 0, 40), "AF_VSOCK");
  EXPECT_EQ(text("socket", 0, 77), "0x4d");
  EXPECT_EQ(text("socket", 0, 0x100000026), "0x100000026 (for the kernel AF_ALG)");
  EXPECT_EQ(text("clone", 0, CLONE_NEWUSER | 17u), "SIGCHLD|CLONE_NEWUSER");
  EXPECT_EQ(text("clone", 0, 0), "0");
  EXPECT_EQ(text("clone", 0, 0xf0), "0xf0");
  EXPECT_EQ(text("clone", 0, CLONE_INTO_CGROUP), "CLONE_INTO_CGROUP");
  EXPECT_EQ(text("unshare", 0, CLONE_NEWUSER | CLONE_NEWNS), "CLONE_NEWNS|CLONE_NEWUSER");
  EXPECT_EQ(text("personality", 0, 0x40000), "PER_LINUX|ADDR_NO_RANDOMIZE");
  EXPECT_EQ(text("personality", 0, 8), "PER_LINUX32");
  EXPECT_EQ(text("mbind", 2, 3), "MPOL_INTERLEAVE");
  EXPECT_EQ(text("set_mempolicy", 0, 0x8001), "MPOL_PREFERRED|MPOL_F_STATIC_NODES");
  EXPECT_EQ(text("mmap", 2, 0), "PROT_NONE");
  EXPECT_EQ(text("mmap", 2, 5), "PROT_READ|PROT_EXEC");
  EXPECT_EQ(text("mmap", 3, 0x22), "MAP_PRIVATE|MAP_ANONYMOUS");
  EXPECT_EQ(text("bpf", 0, BPF_PROG_LOAD), "BPF_PROG_LOAD");
  EXPECT_EQ(text("bpf", 0, 10), "BPF_PROG_TEST_RUN");
  EXPECT_EQ(text("ptrace", 0, 0x4206), "PTRACE_SEIZE");
  EXPECT_EQ(text("keyctl", 0, 1), "KEYCTL_JOIN_SESSION_KEYRING");
  EXPECT_EQ(text("prctl", 0, 22), "PR_SET_SECCOMP");
  EXPECT_EQ(text("ioctl", 1, 0x5412), "TIOCSTI");
  EXPECT_EQ(text("io_uring_register", 1, 8), "IORING_REGISTER_PROBE");
  EXPECT_EQ(text("perf_event_open", 4, 8), "PERF_FLAG_FD_CLOEXEC");
  EXPECT_EQ(text("socketcall", 0, 1), "SYS_SOCKET");
  EXPECT_EQ(text("read", 0, 3), "3");
  EXPECT_EQ(text("read", 1, 4096), "0x1000");
  // i386's old mmap takes a pointer; s390 has clone's flags second.
  EXPECT_EQ(DescribeArgument(Arch::kX86, "mmap", 2, 5), "5");
  EXPECT_EQ(DescribeArgument(Arch::kS390x, "clone", 1, 17), "SIGCHLD");
  EXPECT_EQ(DescribeArgument(Arch::kS390x, "clone", 0, 17), "0x11");
}

TEST(Constants, WholeCalls) {
  const auto call = [](std::string_view name, std::vector<CallArgument> arguments) {
    return DescribeCall(Arch::kX86_64, name, arguments);
  };
  EXPECT_EQ(call("socket", {{0, 16}, {1, 3}, {2, 9}}), "socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT)");
  EXPECT_EQ(call("socket", {{0, 2}, {1, 1}, {2, 6}}), "socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)");
  EXPECT_EQ(call("socket", {{0, 38}, {1, 5}, {2, 0}}), "socket(AF_ALG, SOCK_SEQPACKET, 0)");
  EXPECT_EQ(call("ioctl", {{1, 0x5412}}), "ioctl(_, TIOCSTI)");
  EXPECT_EQ(call("mount", {}), "mount");
}

TEST(Constants, Kept) {
  EXPECT_EQ(KeptArguments(Arch::kX86_64, "socket"), (std::vector{0, 1, 2}));
  EXPECT_EQ(KeptArguments(Arch::kX86_64, "clone"), std::vector{0});
  EXPECT_EQ(KeptArguments(Arch::kS390x, "clone"), std::vector{1});
  EXPECT_EQ(KeptArguments(Arch::kX86_64, "mmap"), std::vector<int>{});
  EXPECT_EQ(KeptArguments(Arch::kX86_64, "read"), std::vector<int>{});
  EXPECT_TRUE(IsTestedArgument(Arch::kX86_64, "socket", 2));
  EXPECT_FALSE(IsTestedArgument(Arch::kX86_64, "socket", 1));
  EXPECT_FALSE(IsTestedArgument(Arch::kS390x, "clone", 0));
}

// What is described can be read again, for every constant on every architecture.
TEST(Constants, BothWays) {
  for (const auto& info : AllArchs()) {
    for (const ArgumentUse& use : ArgumentUses()) {
      EXPECT_TRUE(IsKnownName(use.call)) << use.call;
      for (const Constant& constant : ConstantSets()[static_cast<size_t>(use.set)].constants) {
        const std::string text = DescribeArgument(info.arch, use.call, use.index, constant.value);
        if (text.find('(') == std::string::npos) {
          EXPECT_EQ(ConstantValue(info.arch, text), constant.value) << info.scmp_name << " " << use.call << " " << text;
        }
      }
    }
  }
}

TEST(Constants, NamesToSuggest) {
  const auto names = ConstantNames();
  EXPECT_TRUE(std::ranges::binary_search(names, "AF_ALG"));
  EXPECT_EQ(std::ranges::adjacent_find(names, std::ranges::greater_equal()), names.end());
}

// A name has one value on an architecture, whatever set it is in.
TEST(Constants, NamesAreUnambiguous) {
  std::map<std::pair<std::string_view, ConstantPlace>, uint64_t> values;
  for (const ConstantSet& set : ConstantSets()) {
    for (const Constant& constant : set.constants) {
      const auto [it, added] = values.emplace(std::pair{constant.name, constant.place}, constant.value);
      EXPECT_EQ(it->second, constant.value) << constant.name;
    }
  }
}

}  // namespace
}  // namespace portcullis::syscalls
