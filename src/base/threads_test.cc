#include "base/threads.h"

#include <gtest/gtest.h>

#include "base/no_threads_for_test.h"

namespace portcullis::base {
namespace {

Result<std::thread::id> Self() { return std::this_thread::get_id(); }

TEST(Threads, WorkRunsOnThreadsOfItsOwn) {
  const auto own = OnOwnThread(Self);
  ASSERT_TRUE(own);
  EXPECT_NE(*own, std::this_thread::get_id());
  EXPECT_NE(*Beside(Self).get(), std::this_thread::get_id());
  std::thread::id added;
  {
    std::vector<std::jthread> threads;
    EXPECT_TRUE(AddThread(threads, [&] { added = std::this_thread::get_id(); }));
  }
  EXPECT_NE(added, std::thread::id());
  EXPECT_NE(added, std::this_thread::get_id());
}

TEST(Threads, WithoutThreadsWorkGoesOnOrIsRefused) {
  const NoThreads none;
  const auto own = OnOwnThread(Self);
  ASSERT_FALSE(own);
  EXPECT_EQ(own.error().code, Code::kResourceExhausted);
  EXPECT_EQ(*Beside(Self).get(), std::this_thread::get_id());
  std::vector<std::jthread> threads;
  EXPECT_FALSE(AddThread(threads, [] {}));
  EXPECT_TRUE(threads.empty());
}

TEST(Threads, FailuresComeThrough) {
  const auto failed = OnOwnThread([]() -> Result<int> { return Fail(Code::kNotFound, "no such thing"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace portcullis::base
