#include "node/source/cordon.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <vector>

#include "base/files.h"

namespace portcullis::node {
namespace {

class CordonTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "cordonXXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string root_;
};

TEST_F(CordonTest, IsAFileForRootAlone) {
  EXPECT_FALSE(IsCordoned(root_));
  ASSERT_TRUE(Cordon(root_));
  ASSERT_TRUE(Cordon(root_));
  EXPECT_TRUE(IsCordoned(root_));
  struct stat info{};
  ASSERT_EQ(::stat(CordonFile(root_).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  ASSERT_TRUE(Uncordon(root_));
  ASSERT_TRUE(Uncordon(root_));
  EXPECT_FALSE(IsCordoned(root_));
}

TEST_F(CordonTest, ChangesAreToldOnceEach) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<bool> told;
  const auto wait_for = [&](size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(30), [&] { return told.size() >= count; });
  };
  CordonWatch watch(root_, [&](bool cordoned) {
    const std::lock_guard lock(mutex);
    told.push_back(cordoned);
    changed.notify_all();
  });
  ASSERT_TRUE(watch.Start());
  ASSERT_TRUE(base::WriteFileAtomic(root_ + "/other", "x"));
  ASSERT_TRUE(Cordon(root_));
  ASSERT_TRUE(wait_for(2));
  ASSERT_TRUE(Uncordon(root_));
  ASSERT_TRUE(wait_for(3));
  watch.Stop();
  EXPECT_EQ(told, (std::vector<bool>{false, true, false}));
}

TEST_F(CordonTest, AFolderThatIsNotThereIsAnError) {
  CordonWatch watch(root_ + "/none", [](bool) {});
  EXPECT_FALSE(watch.Start());
}

}  // namespace
}  // namespace portcullis::node
