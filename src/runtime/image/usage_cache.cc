#include "runtime/image/usage_cache.h"

namespace portcullis::runtime {
namespace {

constexpr std::chrono::milliseconds kCheap{20};  // a walk that is as fast is made each time
constexpr int kRest = 20;                        // times what a walk took

}  // namespace

Result<SnapshotUsage> UsageCache::Get(const std::string& id, const std::function<Result<TreeSize>()>& measure) {
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[id];
    if (entry.last && (entry.at_work || now_() < entry.next)) return *entry.last;
    if (entry.at_work) return Fail(Code::kUnavailable, "the use of snapshot {} is being measured", id);
    entry.at_work = true;
  }
  const auto begin = now_();
  const Result<TreeSize> size = measure();
  const auto end = now_();
  const std::lock_guard lock(mutex_);
  if (!size) {
    entries_.erase(id);
    return Failure(size.error());
  }
  const SnapshotUsage usage{.bytes = size->bytes, .inodes = size->inodes, .timestamp_nanos = base::NowUnixNanos()};
  // One that was forgotten meanwhile is gone.
  if (const auto found = entries_.find(id); found != entries_.end()) {
    found->second = {.at_work = false, .last = usage, .next = end - begin < kCheap ? end : end + (end - begin) * kRest};
  }
  return usage;
}

void UsageCache::Forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  entries_.erase(id);
}

}  // namespace portcullis::runtime
