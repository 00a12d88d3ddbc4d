#include "node/image/gc_policy.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace portcullis::node {

int UsagePercent(const DiskUse& use) {
  if (use.capacity == 0) return 0;
  const uint64_t available = std::min(use.available, use.capacity);
  return 100 - static_cast<int>(static_cast<unsigned __int128>(available) * 100 / use.capacity);
}

uint64_t BytesToFree(const ImageGcPolicy& policy, const DiskUse& use) {
  if (use.capacity == 0 || policy.high_percent >= 100 || UsagePercent(use) < policy.high_percent) return 0;
  const auto wanted = static_cast<uint64_t>(static_cast<unsigned __int128>(use.capacity) *
                                            static_cast<unsigned>(100 - policy.low_percent) / 100);
  return wanted > use.available ? wanted - use.available : 0;
}

void ImageLedger::Observe(const std::vector<ListedImage>& images, GcTime now) {
  std::set<std::string> there;
  for (const ListedImage& image : images) {
    there.insert(image.id);
    auto [known, added] = images_.try_emplace(image.id);
    if (added && looked_) known->second.first_seen = now;
    known->second.image = image;
    if (image.in_use) known->second.last_used = now;
  }
  std::erase_if(images_, [&](const auto& entry) { return !there.contains(entry.first); });
  if (!looked_) first_look_ = now;
  looked_ = true;
}

std::vector<KnownImage> ImageLedger::Unused(const ImageGcPolicy& policy, GcTime now) const {
  std::vector<KnownImage> unused;
  for (const auto& [id, known] : images_) {
    if (known.image.in_use || known.image.pinned) continue;
    if (known.first_seen != GcTime() && now - known.first_seen < policy.min_age) continue;
    unused.push_back(known);
  }
  std::stable_sort(unused.begin(), unused.end(), [](const KnownImage& a, const KnownImage& b) {
    return std::tie(a.last_used, a.first_seen) < std::tie(b.last_used, b.first_seen);
  });
  return unused;
}

std::vector<KnownImage> ImageLedger::TooOld(const ImageGcPolicy& policy, GcTime now) const {
  if (policy.max_age.count() == 0 || !looked_ || now - first_look_ <= policy.max_age) return {};
  std::vector<KnownImage> old = Unused(policy, now);
  std::erase_if(old, [&](const KnownImage& known) {
    const GcTime since = std::max(known.last_used, known.first_seen);
    return since != GcTime() && now - since <= policy.max_age;
  });
  return old;
}

}  // namespace portcullis::node
