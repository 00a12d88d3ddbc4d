#include "runtime/registry/token_cache.h"

#include <algorithm>

namespace portcullis::runtime {
namespace {

constexpr size_t kMostEntries = 1000;
constexpr std::chrono::seconds kMargin{5};  // a token must outlive the request that it is sent with
constexpr std::chrono::seconds kLongest = std::chrono::hours(1);

}  // namespace

std::string TokenCache::Get(const std::string& key, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(key);
  return it != entries_.end() && now < it->second.ends ? it->second.authorization : "";
}

void TokenCache::Put(const std::string& key, const std::string& authorization, std::chrono::seconds life,
                     Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [now](const auto& item) { return item.second.ends <= now; });
  if (entries_.size() >= kMostEntries) entries_.clear();
  entries_[key] = {authorization, now + std::clamp(life, std::chrono::seconds(0), kLongest) - kMargin};
}

}  // namespace portcullis::runtime
