#include "runtime/container/process_watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <vector>

#include "base/spawn.h"

namespace portcullis::runtime {
namespace {

class ProcessWatcherTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto watcher = ProcessWatcher::Start([this](const std::string& id) {
      const std::lock_guard lock(mutex_);
      ended_.push_back(id);
      changed_.notify_all();
    });
    ASSERT_TRUE(watcher) << watcher.error().message;
    watcher_ = *std::move(watcher);
  }

  static base::Child Sleeper() {
    auto child = base::Spawn({.argv = {"sleep", "3600"}});
    EXPECT_TRUE(child) << child.error().message;
    return *std::move(child);
  }

  static base::UniqueFd Open(const base::Child& child) {
    return base::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  }

  std::vector<std::string> Await(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return ended_.size() >= count; });
    return ended_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> ended_;
  std::unique_ptr<ProcessWatcher> watcher_;
};

TEST_F(ProcessWatcherTest, TellsEachEndOnce) {
  base::Child first = Sleeper();
  base::Child second = Sleeper();
  ASSERT_TRUE(watcher_->Watch("first", Open(first)));
  ASSERT_TRUE(watcher_->Watch("second", Open(second)));
  base::Discard(std::move(second));
  EXPECT_THAT(Await(1), testing::ElementsAre("second"));
  base::Discard(std::move(first));
  EXPECT_THAT(Await(2), testing::ElementsAre("second", "first"));
}

TEST_F(ProcessWatcherTest, TellsAnEndOfBefore) {
  base::Child child = Sleeper();
  base::UniqueFd pidfd = Open(child);
  base::Discard(std::move(child));
  ASSERT_TRUE(watcher_->Watch("gone", std::move(pidfd)));
  EXPECT_THAT(Await(1), testing::ElementsAre("gone"));
}

TEST_F(ProcessWatcherTest, WhatIsNoProcessIsAnError) { EXPECT_FALSE(watcher_->Watch("none", base::UniqueFd(-1))); }

TEST_F(ProcessWatcherTest, EndsWithProcessesStillWatched) {
  base::Child child = Sleeper();
  ASSERT_TRUE(watcher_->Watch("lives", Open(child)));
  watcher_.reset();
  EXPECT_EQ(::kill(child.pid, 0), 0);
  base::Discard(std::move(child));
  EXPECT_THAT(ended_, testing::IsEmpty());
}

}  // namespace
}  // namespace portcullis::runtime
