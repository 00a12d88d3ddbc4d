#include "cri/grpc/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace portcullis::cri {
namespace {

TEST(ThreadPoolTest, LongCallsDoNotMakeShortOnesWait) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<int> running = 0;
  ThreadPool pool(2, 100);
  for (int i = 0; i < 50; ++i) {
    pool.Run([&running, released] {
      ++running;
      released.wait();
    });
  }
  std::promise<void> short_call;
  pool.Run([&short_call] { short_call.set_value(); });
  EXPECT_EQ(short_call.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  release.set_value();
}

TEST(ThreadPoolTest, AtTheLimitCallsWaitAndAllAreRun) {
  std::atomic<int> done = 0;
  std::atomic<int> at_once = 0;
  std::atomic<int> most_at_once = 0;
  {
    ThreadPool pool(1, 3);
    for (int i = 0; i < 200; ++i) {
      pool.Run([&] {
        const int now = ++at_once;
        int seen = most_at_once;
        while (now > seen && !most_at_once.compare_exchange_weak(seen, now)) {
        }
        --at_once;
        ++done;
      });
    }
  }
  EXPECT_EQ(done, 200);
  EXPECT_LE(most_at_once, 3);
}

}  // namespace
}  // namespace portcullis::cri
