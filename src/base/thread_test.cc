#include "base/thread.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::base {
namespace {

// Leaves this process no room for another thread's stack, as a machine without free processes would leave no thread.
// True once it is so.
bool TakeAllThreads() {
  const auto statm = ReadFile("/proc/self/statm", 4096);
  if (!statm) return false;
  const uint64_t pages = ParseUint(Split(*statm, ' ').front()).value_or(0);
  const rlimit tight{.rlim_cur = pages * 4096 + (1u << 20), .rlim_max = RLIM_INFINITY};
  if (pages == 0 || ::setrlimit(RLIMIT_AS, &tight) != 0) return false;
  try {
    std::thread([] {}).join();
  } catch (const std::system_error&) {
    return true;
  }
  return false;
}

#if defined(__SANITIZE_ADDRESS__)
#define SKIP_UNDER_SANITIZER() GTEST_SKIP() << "the address space is the sanitizer's"
#else
#define SKIP_UNDER_SANITIZER() static_cast<void>(0)
#endif

TEST(Thread, StartsOne) {
  std::atomic<bool> ran = false;
  auto thread = StartThread("test", [&] { ran = true; });
  ASSERT_TRUE(thread.has_value());
  thread->join();
  EXPECT_TRUE(ran);
  EXPECT_EQ(Async([] { return 3; }).get(), 3);
}

// The limit cannot be taken back from a process of the tests, so each has its own.
TEST(ThreadDeathTest, NoneIsAnError) {
  SKIP_UNDER_SANITIZER();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        if (!TakeAllThreads()) std::_Exit(2);
        const auto thread = StartThread("make it", [] {});
        std::_Exit(!thread && thread.error().code == Code::kResourceExhausted &&
                           thread.error().message.starts_with("make it: no thread for it: ")
                       ? 0
                       : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(ThreadDeathTest, WithoutOneTheCallerDoesTheWork) {
  SKIP_UNDER_SANITIZER();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        if (!TakeAllThreads()) std::_Exit(2);
        const auto self = std::this_thread::get_id();
        auto same = Async([self] { return std::this_thread::get_id() == self; });
        std::_Exit(same.get() ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace portcullis::base
