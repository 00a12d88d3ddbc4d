#include "base/thread.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/no_threads_for_test.h"

namespace portcullis::base {
namespace {

TEST(Thread, StartsOne) {
  std::atomic<bool> ran = false;
  auto thread = StartThread("test", [&] { ran = true; });
  ASSERT_TRUE(thread.has_value());
  thread->join();
  EXPECT_TRUE(ran);
  EXPECT_EQ(Async([] { return 3; }).get(), 3);
}

TEST(Thread, NoneIsAnError) {
  const NoThreads none;
  const auto thread = StartThread("make it", [] {});
  ASSERT_FALSE(thread.has_value());
  EXPECT_EQ(thread.error().code, Code::kResourceExhausted);
  EXPECT_TRUE(thread.error().message.starts_with("make it: no thread for it: ")) << thread.error().message;
}

TEST(Thread, WithoutOneTheCallerDoesTheWork) {
  const NoThreads none;
  const auto self = std::this_thread::get_id();
  EXPECT_TRUE(Async([self] { return std::this_thread::get_id() == self; }).get());
}

}  // namespace
}  // namespace portcullis::base
