#include "runtime/service/janitor.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace portcullis::runtime {
namespace {

constexpr auto kLong = std::chrono::seconds(10);

TEST(JanitorTest, DoesChoresInOrderOnItsOwnThread) {
  std::vector<int> done;
  std::promise<std::thread::id> last;
  Janitor janitor;
  for (int i = 0; i < 3; ++i) janitor.Soon([&, i] { done.push_back(i); });
  janitor.Soon([&] { last.set_value(std::this_thread::get_id()); });
  auto thread = last.get_future();
  ASSERT_EQ(thread.wait_for(kLong), std::future_status::ready);
  EXPECT_NE(thread.get(), std::this_thread::get_id());
  EXPECT_EQ(done, (std::vector<int>{0, 1, 2}));
}

TEST(JanitorTest, RoundsComeAgainAndChoresDoNotWaitForThem) {
  std::promise<void> third;
  std::promise<void> chore;
  int rounds = 0;
  Janitor often;
  often.Every(std::chrono::milliseconds(5), [&] {
    if (++rounds == 3) third.set_value();
  });
  EXPECT_EQ(third.get_future().wait_for(kLong), std::future_status::ready);
  Janitor seldom;
  seldom.Every(std::chrono::hours(1), [] { ADD_FAILURE() << "not due"; });
  seldom.Soon([&] { chore.set_value(); });
  EXPECT_EQ(chore.get_future().wait_for(kLong), std::future_status::ready);
}

TEST(JanitorTest, EndsWithARoundFarAway) {
  const auto before = std::chrono::steady_clock::now();
  {
    Janitor idle;
    Janitor waiting;
    waiting.Every(std::chrono::hours(1), [] {});
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, kLong);
}

}  // namespace
}  // namespace portcullis::runtime
