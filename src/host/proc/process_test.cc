#include "host/proc/process.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::host {
namespace {

class ProcessTest : public ::testing::Test {
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

TEST_F(ProcessTest, Reads) {
  const auto stat = ReadStat(77, proc_);
  ASSERT_TRUE(stat) << stat.error().message;
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 12);
  EXPECT_EQ(stat->start_time_ticks, 4711u);
  const auto status = ReadStatus(77, proc_);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->seccomp_mode, 2);
  EXPECT_EQ(status->seccomp_filters, 3);
  EXPECT_TRUE(status->no_new_privs);
  EXPECT_EQ(status->uid, 101u);
  EXPECT_EQ(status->gid, 102u);
  EXPECT_EQ(status->permitted_capabilities, 0xa80425fbu);
  EXPECT_EQ(status->bounding_capabilities, 0x1ffffffffffu);
}

TEST_F(ProcessTest, PidReuseAndZombies) {
  EXPECT_TRUE(IsSameProcessAlive(77, 4711, proc_));
  EXPECT_FALSE(IsSameProcessAlive(77, 4712, proc_));
  EXPECT_FALSE(IsSameProcessAlive(78, 4711, proc_));
  Write('Z');
  EXPECT_FALSE(IsSameProcessAlive(77, 4711, proc_));
}

TEST_F(ProcessTest, WhatIsNotThereAndWhatIsNotUnderstood) {
  EXPECT_EQ(ReadStat(78, proc_).error().code, Code::kNotFound);
  EXPECT_EQ(ReadStatus(78, proc_).error().code, Code::kNotFound);
  EXPECT_EQ(ReadCgroups(78, proc_).error().code, Code::kNotFound);
  EXPECT_EQ(ReadComm(78, proc_), "");
  EXPECT_EQ(ReadExecutable(78, proc_), "");
  ASSERT_TRUE(base::WriteFileAtomic(proc_ + "/77/status", "Tgid:\tmany\n"));
  ASSERT_TRUE(base::WriteFileAtomic(proc_ + "/77/stat", "77 (evil"));
  EXPECT_EQ(ReadStatus(77, proc_).error().code, Code::kDataLoss);
  EXPECT_EQ(ReadStat(77, proc_).error().code, Code::kDataLoss);
}

TEST(Process, OfThisProcess) {
  const auto stat = ReadStat(::getpid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, ::getppid());
  EXPECT_GT(stat->start_time_ticks, 0u);
  const auto status = ReadStatus(::getpid());
  ASSERT_TRUE(status);
  EXPECT_EQ(status->uid, ::geteuid());
  EXPECT_EQ(status->tgid, ::getpid());
  EXPECT_EQ(ReadExecutable(::getpid()), std::filesystem::read_symlink("/proc/self/exe"));
  EXPECT_EQ(ReadComm(::getpid()), std::filesystem::path(ReadExecutable(::getpid())).filename().string().substr(0, 15));
  const auto cgroups = ReadCgroups(::getpid());
  ASSERT_TRUE(cgroups);
  EXPECT_FALSE(ParseCgroups(*cgroups).empty());
}

TEST(Process, OfAThread) {
  std::thread([] {
    const auto status = ReadStatus(static_cast<pid_t>(::syscall(SYS_gettid)));
    ASSERT_TRUE(status);
    EXPECT_EQ(status->tgid, ::getpid());
  }).join();
}

}  // namespace
}  // namespace portcullis::host
