#include "cri/grpc/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace portcullis::cri {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// Tasks that run until they are released.
struct Gate {
  std::promise<void> promise;
  std::shared_future<void> released = promise.get_future().share();

  std::function<void()> Task() const {
    return [released = released] { released.wait(); };
  }
};

TEST(ThreadPoolTest, EveryTaskGetsAThreadUpToTheLimit) {
  Gate gate;
  ThreadPool pool({.kept = 2, .threads = 51});
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(pool.Run(gate.Task())) << i;
  std::promise<void> last;
  ASSERT_TRUE(pool.Run([&last] { last.set_value(); }));
  EXPECT_EQ(last.get_future().wait_for(seconds(10)), std::future_status::ready);
  gate.promise.set_value();
}

TEST(ThreadPoolTest, RefusesWhatHasNeitherThreadNorPlaceToWait) {
  Gate gate;
  ThreadPool pool({.kept = 1, .threads = 3, .waiting = 2});
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(pool.Run(gate.Task())) << i;
  EXPECT_FALSE(pool.Run(gate.Task()));
  gate.promise.set_value();
  ASSERT_TRUE(pool.WaitIdle(steady_clock::now() + seconds(10)));
  EXPECT_TRUE(pool.Run([] {})) << "there is place again";
}

TEST(ThreadPoolTest, AtTheLimitTasksWaitAndAllAreRun) {
  std::atomic<int> done = 0;
  std::atomic<int> at_once = 0;
  std::atomic<int> most_at_once = 0;
  {
    ThreadPool pool({.kept = 1, .threads = 3, .waiting = 200});
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(pool.Run([&] {
        const int now = ++at_once;
        int seen = most_at_once;
        while (now > seen && !most_at_once.compare_exchange_weak(seen, now)) {
        }
        --at_once;
        ++done;
      }));
    }
  }
  EXPECT_EQ(done, 200);
  EXPECT_LE(most_at_once, 3);
}

TEST(ThreadPoolTest, WaitIdleGivesUpAtItsDeadline) {
  Gate gate;
  ThreadPool pool({.threads = 2});
  EXPECT_TRUE(pool.WaitIdle(steady_clock::now())) << "nothing was ever run";
  ASSERT_TRUE(pool.Run(gate.Task()));
  EXPECT_FALSE(pool.WaitIdle(steady_clock::now() + milliseconds(20)));
  gate.promise.set_value();
  EXPECT_TRUE(pool.WaitIdle(steady_clock::now() + seconds(10)));
}

}  // namespace
}  // namespace portcullis::cri
