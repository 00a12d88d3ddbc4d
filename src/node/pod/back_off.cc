#include "node/pod/back_off.h"

#include <algorithm>

namespace portcullis::node {

BackOff::BackOff(const BackOffSettings& settings)
    : first_(std::min(settings.first, settings.max).count()),
      max_(settings.max.count()),
      reset_(settings.reset.count()) {}

std::optional<int64_t> BackOff::RetryAt(const std::string& key, int64_t ended) const {
  auto entry = entries_.find(key);
  if (entry == entries_.end() || Expired(entry->second, ended)) return std::nullopt;
  return ended + entry->second.delay;
}

void BackOff::Next(const std::string& key, int64_t ended, int64_t now) {
  auto [entry, is_new] = entries_.try_emplace(key);
  bool start = is_new || Expired(entry->second, ended);
  entry->second.delay = start ? first_ : std::min(max_, entry->second.delay * 2);
  entry->second.updated = now;
}

int64_t BackOff::Delay(const std::string& key) const {
  auto entry = entries_.find(key);
  return entry == entries_.end() ? 0 : entry->second.delay;
}

}  // namespace portcullis::node
