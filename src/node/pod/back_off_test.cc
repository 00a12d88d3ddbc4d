#include "node/pod/back_off.h"

#include <gtest/gtest.h>

namespace portcullis::node {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(BackOff, FollowsKubernetesSeries) {
  BackOff back_off;
  EXPECT_EQ(back_off.RetryAt("c", 0), std::nullopt) << "the first restart is immediate";
  int64_t now = 0;
  for (int64_t seconds : {10, 20, 40, 80, 160, 300, 300}) {
    back_off.Next("c", now, now);
    EXPECT_EQ(back_off.Delay("c"), seconds * kSecond);
    EXPECT_EQ(back_off.RetryAt("c", now), now + seconds * kSecond);
    now += seconds * kSecond;
  }
  EXPECT_EQ(back_off.RetryAt("other", now), std::nullopt);
}

TEST(BackOff, ForgetsAfterTenQuietMinutes) {
  BackOff back_off;
  back_off.Next("c", 0, 0);
  back_off.Next("c", 0, 0);
  EXPECT_EQ(back_off.RetryAt("c", 600 * kSecond), 620 * kSecond);
  EXPECT_EQ(back_off.RetryAt("c", 601 * kSecond), std::nullopt);
  back_off.Next("c", 601 * kSecond, 601 * kSecond);
  EXPECT_EQ(back_off.Delay("c"), 10 * kSecond);
}

TEST(BackOff, AMaximumBelowTheFirstDelayWins) {
  BackOff back_off({.first = std::chrono::seconds(10), .max = std::chrono::seconds(3)});
  back_off.Next("c", 0, 0);
  back_off.Next("c", 0, 0);
  EXPECT_EQ(back_off.Delay("c"), 3 * kSecond);
}

}  // namespace
}  // namespace portcullis::node
