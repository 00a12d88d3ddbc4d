#include "helper/pause_options.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstring>
#include <string>
#include <vector>

namespace portcullis::helper {
namespace {

struct Read {
  explicit Read(const std::vector<std::string>& entries) {
    for (const std::string& entry : entries) bytes.append(entry).push_back('\0');
    wrong = ReadPauseOptions(bytes.data(), bytes.size(), options);
  }
  std::string bytes;
  PauseOptions options;
  const char* wrong = nullptr;
};

TEST(PauseOptions, AllKeys) {
  const Read read({"unshare=pid", "unshare=mount", "network=/run/netns/1", "root=/r", "hostname=web",
                   "sysctl=net.ipv4.x=0 = 1", "oom-score-adj=-998", "uid=65535", "gid=1", "group=2", "group=4294967295",
                   "filter=6", "device-cgroup=/sys/fs/cgroup/a"});
  ASSERT_EQ(read.wrong, nullptr) << read.wrong;
  const PauseOptions& options = read.options;
  EXPECT_EQ(options.namespaces, CLONE_NEWPID | CLONE_NEWNS);
  EXPECT_STREQ(options.network, "/run/netns/1");
  EXPECT_STREQ(options.root, "/r");
  EXPECT_STREQ(options.hostname, "web");
  ASSERT_EQ(options.sysctl_count, 1u);
  EXPECT_STREQ(options.sysctls[0].name, "net.ipv4.x");
  EXPECT_STREQ(options.sysctls[0].value, "0 = 1");
  EXPECT_STREQ(options.oom_score_adj, "-998");
  EXPECT_EQ(options.uid, 65535u);
  EXPECT_EQ(options.gid, 1u);
  ASSERT_EQ(options.group_count, 2u);
  EXPECT_EQ(options.groups[1], 4294967295u);
  EXPECT_TRUE(options.has_filter);
  EXPECT_EQ(options.filter_flags, 6u);
  EXPECT_STREQ(options.device_cgroup, "/sys/fs/cgroup/a");
}

TEST(PauseOptions, WhatCannotBeReadIsRefused) {
  const std::vector<std::vector<std::string>> refused = {
      {},
      {"unshare=mount"},
      {"root=/r"},
      {"root=/r", "unshare=mount", "unshare=user"},
      {"root=/r", "unshare=mount", "nonsense=1"},
      {"root=/r", "unshare=mount", "nonsense"},
      {"root=/r", "unshare=mount", ""},
      {"root=/r", "unshare=mount", "hostname="},
      {"root=/r", "unshare=mount", "uid="},
      {"root=/r", "unshare=mount", "uid=-1"},
      {"root=/r", "unshare=mount", "uid=4294967296"},
      {"root=/r", "unshare=mount", "gid=1x"},
      {"root=/r", "unshare=mount", "filter="},
      {"root=/r", "unshare=mount", "sysctl=a"},
      {"root=/r", "unshare=mount", "sysctl==1"},
  };
  for (const auto& entries : refused) {
    const Read read(entries);
    EXPECT_NE(read.wrong, nullptr) << read.bytes;
  }
  std::string open_ended = "root=/r";
  PauseOptions options;
  EXPECT_NE(ReadPauseOptions(open_ended.data(), open_ended.size(), options), nullptr);
}

TEST(PauseOptions, ListsAreBounded) {
  std::vector<std::string> many = {"root=/r", "unshare=mount"};
  many.resize(2 + kMaxPauseGroups, "group=1");
  EXPECT_EQ(Read(many).wrong, nullptr);
  many.emplace_back("group=1");
  EXPECT_NE(Read(many).wrong, nullptr);
  many.resize(2);
  many.resize(2 + kMaxPauseSysctls, "sysctl=a=1");
  EXPECT_EQ(Read(many).wrong, nullptr);
  many.emplace_back("sysctl=a=1");
  EXPECT_NE(Read(many).wrong, nullptr);
}

}  // namespace
}  // namespace portcullis::helper
