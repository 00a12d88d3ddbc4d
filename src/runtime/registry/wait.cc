#include "runtime/registry/wait.h"

#include <condition_variable>
#include <mutex>

namespace portcullis::runtime {

Result<void> SleepFor(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, time, [] { return false; });
  if (stop.stop_requested()) return Fail(Code::kCancelled, "given up, because the program ends");
  return {};
}

}  // namespace portcullis::runtime
