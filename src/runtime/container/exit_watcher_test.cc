#include "runtime/container/exit_watcher.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

class ExitWatcherTest : public ::testing::Test {
 protected:
  void SetUp() override { directory_ = ::testing::TempDir() + "/exits-" + base::RandomHex(4); }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(directory_)); }

  std::unique_ptr<ExitWatcher> Start() {
    const auto take = [this](const ContainerExitEvent& exit) {
      const std::lock_guard lock(mutex_);
      exits_.push_back(exit);
      changed_.notify_all();
      if (refusals_ == 0) return true;
      --refusals_;
      return false;
    };
    auto watcher = ExitWatcher::Start(directory_, take, std::chrono::milliseconds(20));
    EXPECT_TRUE(watcher);
    return std::move(*watcher);
  }

  void Write(const std::string& id, const std::string& text) {
    ASSERT_TRUE(base::WriteFileAtomic(directory_ + "/" + id, text));
  }

  std::vector<ContainerExitEvent> Await(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return exits_.size() >= count; });
    return exits_;
  }

  std::string directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ContainerExitEvent> exits_;
  int refusals_ = 0;
};

TEST_F(ExitWatcherTest, TellsWhatIsThereAndWhatComesOnce) {
  ASSERT_TRUE(base::MakeDirs(directory_));
  const int64_t before = base::NowUnixNanos();
  Write("early", "137");
  const auto watcher = Start();
  ASSERT_EQ(Await(1).size(), 1u);
  EXPECT_EQ(exits_[0].id, "early");
  EXPECT_EQ(exits_[0].exit_code, 137);
  EXPECT_NEAR(static_cast<double>(exits_[0].finished_at_unix_nanos), static_cast<double>(before), 5e9);
  Write("bad", "not a number");
  Write("late", "0\n");
  const auto exits = Await(2);
  ASSERT_EQ(exits.size(), 2u);
  EXPECT_EQ(exits[1].id, "late");
  EXPECT_EQ(exits[1].exit_code, 0);
  EXPECT_TRUE(base::Exists(directory_ + "/late")) << "kept until the container is deleted";
}

TEST_F(ExitWatcherTest, SameIdAgainAfterItsFileWentAway) {
  const auto watcher = Start();
  Write("a", "1");
  ASSERT_EQ(Await(1).size(), 1u);
  ASSERT_EQ(::unlink((directory_ + "/a").c_str()), 0);
  Write("b", "2");
  ASSERT_EQ(Await(2).size(), 2u);
  Write("a", "3");
  const auto exits = Await(3);
  ASSERT_EQ(exits.size(), 3u);
  EXPECT_EQ(exits[2].exit_code, 3);
}

TEST_F(ExitWatcherTest, TellsAgainWhatCouldNotBeDealtWith) {
  refusals_ = 2;
  const auto watcher = Start();
  Write("a", "1");
  ASSERT_EQ(Await(3).size(), 3u);
  Write("b", "2");
  const auto exits = Await(4);
  ASSERT_EQ(exits.size(), 4u) << "and no more of the first, once it was dealt with";
  EXPECT_EQ(exits[2].id, "a");
  EXPECT_EQ(exits[3].id, "b");
}

TEST_F(ExitWatcherTest, ReadExitFile) {
  ASSERT_TRUE(base::MakeDirs(directory_));
  Write("ok", "7");
  Write("large", "256");
  Write("empty", "");
  const auto none = ReadExitFile(directory_, "none");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
  const auto ok = ReadExitFile(directory_, "ok");
  ASSERT_TRUE(ok && *ok);
  EXPECT_EQ((*ok)->exit_code, 7);
  EXPECT_FALSE(ReadExitFile(directory_, "large"));
  EXPECT_FALSE(ReadExitFile(directory_, "empty"));
}

}  // namespace
}  // namespace portcullis::runtime
