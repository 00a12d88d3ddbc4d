#include "cri/grpc/deadline.h"

#include <gtest/gtest.h>

#include <limits>

namespace portcullis::cri {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

TEST(CallTime, AddsTheTimeOfTheRequest) {
  EXPECT_EQ(CallTime(VersionRequest{}, seconds(2)), milliseconds(2000));
  EXPECT_EQ(CallTime(StopContainerRequest{.timeout = 30}, seconds(2)), milliseconds(32000));
  EXPECT_EQ(CallTime(StopContainerRequest{.timeout = -1}, seconds(2)), milliseconds(2000));
  EXPECT_EQ(CallTime(ExecSyncRequest{.timeout = 5}, seconds(2)), milliseconds(7000));
}

TEST(CallTime, IsEndlessWhereTheCallMayTakeAnyTime) {
  EXPECT_EQ(CallTime(ExecSyncRequest{.timeout = 0}, seconds(2)), std::nullopt);
  EXPECT_EQ(CallTime(PullImageRequest{}, seconds(2)), std::nullopt);
}

TEST(CallTime, NeverOverflows) {
  const auto longest = CallTime(StopContainerRequest{.timeout = kHuge}, milliseconds(kHuge));
  ASSERT_TRUE(longest.has_value());
  EXPECT_EQ(*longest, 2 * milliseconds(kLongestWait));
  const auto now = std::chrono::system_clock::now();
  EXPECT_GT(now + *longest, now);
  EXPECT_EQ(CallTime(ExecSyncRequest{.timeout = kHuge}, milliseconds(0)), milliseconds(kLongestWait));
  EXPECT_EQ(CallTime(VersionRequest{}, milliseconds(-5)), milliseconds(0));
}

}  // namespace
}  // namespace portcullis::cri
