// How much disk a container's writable folder uses, measured when somebody asks. The container chooses how much there
// is to walk, and clients ask every few seconds: a walk that took its time is not repeated before twenty times as long
// has passed, and nobody waits for one that is under way.
//
//   UsageCache cache;
//   ASSIGN_OR_RETURN(const SnapshotUsage usage, cache.Get(id, [&] { return MeasureTree(upper); }));
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/image/store_files.h"

namespace portcullis::runtime {

struct SnapshotUsage {
  int64_t bytes = 0;  // allocated, of the writable folder
  int64_t inodes = 0;
  int64_t timestamp_nanos = 0;  // when it was measured
};

class UsageCache {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  explicit UsageCache(Clock now = base::Now) : now_(std::move(now)) {}

  // A measurement, new or the last one. kUnavailable while the first one is under way.
  Result<SnapshotUsage> Get(const std::string& id, const std::function<Result<TreeSize>()>& measure);
  void Forget(const std::string& id);

 private:
  struct Entry {
    bool at_work = false;
    std::optional<SnapshotUsage> last;
    std::chrono::steady_clock::time_point next;  // not walked again before
  };

  const Clock now_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace portcullis::runtime
