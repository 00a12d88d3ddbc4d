#include "runtime/image/usage_cache.h"

#include <gtest/gtest.h>

namespace portcullis::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class UsageCacheTest : public ::testing::Test {
 protected:
  // Measures a tree of `bytes`, which takes so long; the bytes that are told.
  int64_t Ask(int64_t bytes, milliseconds takes) {
    const auto usage = cache_.Get("c", [&]() -> Result<TreeSize> {
      now_ += takes;
      return TreeSize{.bytes = bytes, .inodes = 1};
    });
    return usage ? usage->bytes : -1;
  }

  std::chrono::steady_clock::time_point now_;
  UsageCache cache_{[this] { return now_; }};
};

TEST_F(UsageCacheTest, ASmallTreeIsMeasuredEachTime) {
  EXPECT_EQ(Ask(1, milliseconds(1)), 1);
  EXPECT_EQ(Ask(2, milliseconds(1)), 2);
}

TEST_F(UsageCacheTest, AHugeOneIsMeasuredSeldom) {
  EXPECT_EQ(Ask(1, seconds(2)), 1);
  now_ += seconds(39);
  EXPECT_EQ(Ask(2, seconds(2)), 1);
  now_ += seconds(2);
  EXPECT_EQ(Ask(3, seconds(2)), 3);
  cache_.Forget("c");
  EXPECT_EQ(Ask(4, seconds(2)), 4);
}

TEST_F(UsageCacheTest, NobodyWaitsForAMeasurementUnderWay) {
  const auto slow = [&](int64_t bytes, const std::function<void()>& meanwhile) {
    return cache_.Get("c", [&]() -> Result<TreeSize> {
      meanwhile();
      return TreeSize{.bytes = bytes, .inodes = 1};
    });
  };
  ASSERT_TRUE(slow(1, [&] { EXPECT_EQ(Ask(7, milliseconds(1)), -1) << "there is none yet"; }));
  ASSERT_TRUE(slow(2, [&] { EXPECT_EQ(Ask(7, milliseconds(1)), 1) << "the last one"; }));
  ASSERT_TRUE(slow(3, [&] { cache_.Forget("c"); }));
  EXPECT_EQ(Ask(4, milliseconds(1)), 4);
}

TEST_F(UsageCacheTest, AFailureIsToldAndTriedAgain) {
  const auto failed = cache_.Get("c", []() -> Result<TreeSize> { return Fail(Code::kNotFound, "gone"); });
  EXPECT_EQ(failed.error().code, Code::kNotFound);
  EXPECT_EQ(Ask(1, milliseconds(1)), 1);
}

}  // namespace
}  // namespace portcullis::runtime
