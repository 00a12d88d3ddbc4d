#include "runtime/container/inotify_room.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/files.h"
#include "base/strings.h"
#include "base/unique_fd.h"

namespace portcullis::runtime {
namespace {

TEST(InotifyRoomTest, TheFigureAndWhatItAllowsAreTold) {
  const auto warning = InotifyWarning(CgroupLayout::kUnified, {.max_instances = 128, .taken_by_others = 20});
  ASSERT_TRUE(warning);
  EXPECT_THAT(*warning, ::testing::HasSubstr("fs.inotify.max_user_instances is 128, of which 20 are taken"));
  EXPECT_THAT(*warning, ::testing::HasSubstr("enough for 108 containers"));
}

TEST(InotifyRoomTest, WhatOthersTookMayBeMoreThanThereIs) {
  // The limit may have been lowered below what is in use.
  EXPECT_EQ(ContainersWithInotify({.max_instances = 10, .taken_by_others = 12}), 0U);
  EXPECT_THAT(InotifyWarning(CgroupLayout::kUnified, {.max_instances = 10, .taken_by_others = 12}).value_or(""),
              ::testing::HasSubstr("enough for 0 containers"));
}

TEST(InotifyRoomTest, AFullNodeIsEnough) {
  EXPECT_TRUE(InotifyWarning(CgroupLayout::kUnified, {.max_instances = 219, .taken_by_others = 0}));
  EXPECT_FALSE(InotifyWarning(CgroupLayout::kUnified, {.max_instances = 220, .taken_by_others = 0}));
  EXPECT_TRUE(InotifyWarning(CgroupLayout::kUnified, {.max_instances = 220, .taken_by_others = 1}));
}

TEST(InotifyRoomTest, OtherLayoutsNeedNone) {
  EXPECT_FALSE(InotifyWarning(CgroupLayout::kV1, {.max_instances = 1, .taken_by_others = 1}));
  EXPECT_FALSE(InotifyWarning(CgroupLayout::kHybrid, {.max_instances = 1, .taken_by_others = 1}));
}

class InotifyUseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::MakeDirs(proc_ + "/sys/fs/inotify"));
    Setting("128\n");
  }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(proc_)); }

  void Setting(const std::string& text) {
    ASSERT_TRUE(base::WriteFileAtomic(proc_ + "/sys/fs/inotify/max_user_instances", text));
  }
  void Process(const std::string& pid, const std::string& program, const std::vector<std::string>& descriptors) {
    ASSERT_TRUE(base::MakeDirs(proc_ + "/" + pid + "/fd"));
    ASSERT_TRUE(base::WriteFileAtomic(proc_ + "/" + pid + "/comm", program + "\n"));
    for (size_t i = 0; i < descriptors.size(); ++i) {
      ASSERT_EQ(::symlink(descriptors[i].c_str(), (proc_ + "/" + pid + "/fd/" + std::to_string(i)).c_str()), 0);
    }
  }

  const std::string proc_ = ::testing::TempDir() + "/inotify-" + base::RandomHex(4);
};

TEST_F(InotifyUseTest, ConmonIsNotCountedAmongOthers) {
  Process("1", "systemd", {"/dev/null", "anon_inode:inotify", "anon_inode:[eventpoll]", "anon_inode:inotify"});
  Process("20", "conmon", {"anon_inode:inotify"});
  Process("30", "conmon-like", {"socket:[1]", "anon_inode:inotify"});
  ASSERT_TRUE(base::MakeDirs(proc_ + "/40"));  // ended meanwhile
  const auto use = ReadInotifyUse(proc_);
  ASSERT_TRUE(use) << use.error().message;
  EXPECT_EQ(use->max_instances, 128U);
  EXPECT_EQ(use->taken_by_others, 3U);
}

TEST_F(InotifyUseTest, ASettingThatIsNoNumberIsAnError) {
  Setting("many\n");
  const auto use = ReadInotifyUse(proc_);
  ASSERT_FALSE(use);
  EXPECT_THAT(use.error().message, ::testing::HasSubstr("max_user_instances: no number in"));
}

TEST(InotifyUse, TheKernelsOwnLinksAreRecognised) {
  const base::UniqueFd held(::inotify_init1(IN_CLOEXEC));
  if (!held.valid()) GTEST_SKIP() << "no inotify instance is left";
  const std::string own = "/proc/self/fd/" + std::to_string(held.get());
  char target[64];
  const ssize_t length = ::readlink(own.c_str(), target, sizeof target);
  ASSERT_GT(length, 0);
  EXPECT_EQ(std::string(target, static_cast<size_t>(length)), "anon_inode:inotify");
}

}  // namespace
}  // namespace portcullis::runtime
