#include "host/proc/proc_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace portcullis::host {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kBehindTheName =
    " 12 77 77 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 4711 5000 60 18446744073709551615\n";

TEST(ParseStat, AnyName) {
  for (const char* name : {"x", "", "a b", ") S 1 (", "\n", "Z) Z"}) {
    const auto stat = ParseStat("77 (" + std::string(name) + ") T" + std::string(kBehindTheName));
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->state, 'T');
    EXPECT_EQ(stat->parent, 12);
    EXPECT_EQ(stat->start_time_ticks, 4711u);
  }
}

TEST(ParseStat, AProcessThatEnds) {
  EXPECT_FALSE(ParseStat("77 (x) T" + std::string(kBehindTheName))->is_exiting);
  EXPECT_TRUE(ParseStat("7 (true) Z 1 7 7 0 -1 4228356 1 2 3 4 5 6 7 8 20 0 1 0 4711 1 2")->is_exiting);
}

TEST(ParseStat, WhatIsNone) {
  for (const char* text :
       {"", "77", "77 (x", "77 (x)", "77 (x) S 12", "77 (x) SS 12 77 77 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 4711 5",
        "77 (x) S -12 77 77 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 4711 5",
        "77 (x) S 4294967296 77 77 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 4711 5",
        "77 (x) S 12 77 77 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 soon 5"}) {
    EXPECT_FALSE(ParseStat(text)) << text;
  }
}

TEST(ParseStatus, Fields) {
  const auto status = ParseStatus(
      "Name:\tSeccomp:\\n2\nTgid:\t77\nPid:\t78\nUid:\t1\t4294967295\t3\t4\nSigBlk:\t0000000040000000\n"
      "SigIgn:\t0000000000001000\nSigCgt:\tfffffffe7ffbfeff\nCapBnd:\t000001ffffffffff\nSeccomp:\t2\n");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->tgid, 77);
  EXPECT_EQ(status->uid, UINT32_MAX);
  EXPECT_EQ(status->blocked_signals, uint64_t{1} << 30);
  EXPECT_EQ(status->ignored_signals, uint64_t{1} << 12);
  EXPECT_EQ(status->caught_signals, 0xfffffffe7ffbfeffu);
  EXPECT_EQ(status->bounding_capabilities, 0x1ffffffffffu);
  EXPECT_FALSE(status->no_new_privs);
  EXPECT_EQ(status->seccomp_mode, 2);
  EXPECT_EQ(status->seccomp_filters, std::nullopt);
}

TEST(ParseStatus, WhatTheKernelDoesNotSay) {
  for (const char* text : {"", "Name: x\n", "no field at all"}) {
    const auto status = ParseStatus(text);
    ASSERT_TRUE(status) << text;
    EXPECT_EQ(status->tgid, std::nullopt);
    EXPECT_EQ(status->seccomp_mode, std::nullopt);
  }
}

TEST(ParseStatus, WhatIsNone) {
  for (const char* text :
       {"Tgid:\t", "Tgid:\t-1", "Tgid:\t2147483648", "Uid:\t1", "Uid:\t1\t-2\t3\t4", "Seccomp:\tx",
        "Seccomp_filters:\t99999999999", "SigCgt:\t0x1", "CapPrm:\t10000000000000000", "NoNewPrivs:\t2"}) {
    EXPECT_FALSE(ParseStatus(text)) << text;
  }
}

TEST(ParseCgroups, EveryLayout) {
  const auto cgroups = ParseCgroups("8:pids:/p\n1:name=systemd:/s\n4:cpu,cpuacct:/c:d\n0::/u\nnonsense\n");
  ASSERT_EQ(cgroups.size(), 4u);
  EXPECT_THAT(cgroups[0].controllers, ElementsAre("pids"));
  EXPECT_EQ(cgroups[0].path, "/p");
  EXPECT_THAT(cgroups[1].controllers, ElementsAre("name=systemd"));
  EXPECT_THAT(cgroups[2].controllers, ElementsAre("cpu", "cpuacct"));
  EXPECT_EQ(cgroups[2].path, "/c:d");
  EXPECT_THAT(cgroups[3].controllers, ElementsAre(""));
  EXPECT_EQ(cgroups[3].path, "/u");
  EXPECT_TRUE(ParseCgroups("").empty());
}

}  // namespace
}  // namespace portcullis::host
