#include "runtime/container/process_info.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

class ProcessInfoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    proc_ = ::testing::TempDir() + "/proc-" + base::RandomHex(4);
    Write('S');
  }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(proc_)); }

  // A process whose name tries to look like the fields behind it.
  void Write(char state) {
    ASSERT_TRUE(base::MakeDirs(proc_ + "/77"));
    const std::string stat = fmt::format(
        "77 (evil) S 1 (x) {} 12 77 77 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 4711 5000 60 18446744073709551615\n",
        state);
    ASSERT_TRUE(base::WriteFileAtomic(proc_ + "/77/stat", stat));
    ASSERT_TRUE(base::WriteFileAtomic(
        proc_ + "/77/status",
        "Name:\tevil\nPPid:\t12\nUid:\t1\t101\t3\t4\nGid:\t1\t102\t3\t4\nCapPrm:\t00000000a80425fb\n"
        "CapBnd:\t000001ffffffffff\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n"));
  }
  std::string proc_;
};

TEST_F(ProcessInfoTest, Reads) {
  const auto info = ReadProcessInfo(77, proc_);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->state, 'S');
  EXPECT_EQ(info->parent, 12);
  EXPECT_EQ(info->start_time_ticks, 4711u);
  EXPECT_EQ(info->seccomp_mode, 2);
  EXPECT_EQ(info->seccomp_filters, 3);
  EXPECT_TRUE(info->no_new_privs);
  EXPECT_EQ(info->uid, 101u);
  EXPECT_EQ(info->gid, 102u);
  EXPECT_EQ(info->permitted_capabilities, 0xa80425fbu);
  EXPECT_EQ(info->bounding_capabilities, 0x1ffffffffffu);
}

TEST_F(ProcessInfoTest, PidReuseAndZombies) {
  EXPECT_TRUE(IsSameProcessAlive(77, 4711, proc_));
  EXPECT_FALSE(IsSameProcessAlive(77, 4712, proc_));
  EXPECT_FALSE(IsSameProcessAlive(78, 4711, proc_));
  Write('Z');
  EXPECT_FALSE(IsSameProcessAlive(77, 4711, proc_));
  EXPECT_EQ(ReadProcessInfo(78, proc_).error().code, Code::kNotFound);
}

TEST(ProcessInfo, OfThisProcess) {
  const auto info = ReadProcessInfo(::getpid());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->parent, ::getppid());
  EXPECT_EQ(info->uid, ::geteuid());
  EXPECT_GT(info->start_time_ticks, 0u);
}

}  // namespace
}  // namespace portcullis::runtime
