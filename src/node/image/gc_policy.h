// Which images go, and when: the kubelet's image garbage collection (pkg/kubelet/images/image_gc_manager.go) as values.
//
//   ImageLedger ledger;
//   ledger.Observe(images, now);                       // each round: what there is, and what is in use
//   for (const KnownImage& image : ledger.Unused(policy, now)) ...   // least recently used first
//
// Nothing here asks a runtime or a disk (gc.h does).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace portcullis::node {

using GcTime = std::chrono::steady_clock::time_point;

struct ImageGcPolicy {
  int high_percent = 85;  // of the disk in use: from here on images are removed; 100: never for space
  int low_percent = 80;   // until it is down to this
  std::chrono::nanoseconds min_age{std::chrono::minutes(2)};  // since it was first seen; younger ones stay
  std::chrono::nanoseconds max_age{0};  // unused for longer: removed in any case; 0: no such limit

  // No rule that could remove anything.
  bool IsOff() const { return high_percent >= 100 && max_age.count() == 0; }
};

struct DiskUse {
  uint64_t capacity = 0;   // bytes
  uint64_t available = 0;  // to ordinary users
};
// 0 .. 100, rounded up.
int UsagePercent(const DiskUse& use);
// How many bytes have to go; 0 below the high threshold.
uint64_t BytesToFree(const ImageGcPolicy& policy, const DiskUse& use);

struct ListedImage {
  std::string id;
  std::string name;  // for messages
  uint64_t size = 0;
  bool in_use = false;  // by a container, running or not, or by a pod that is wanted
  bool pinned = false;  // the runtime says: never
};

struct KnownImage {
  ListedImage image;
  GcTime first_seen;
  GcTime last_used;  // GcTime() when it has not been seen in use
};

// When each image was first seen, and last in use. What there is at the first look counts as old: nobody knows when it
// came.
class ImageLedger {
 public:
  void Observe(const std::vector<ListedImage>& images, GcTime now);
  // Neither in use at the last look, nor pinned, nor too young; those unused for longest come first.
  std::vector<KnownImage> Unused(const ImageGcPolicy& policy, GcTime now) const;
  // Of those, the ones that are past the maximum age. None before that age has passed since the first look.
  std::vector<KnownImage> TooOld(const ImageGcPolicy& policy, GcTime now) const;
  void Forget(const std::string& id) { images_.erase(id); }

 private:
  std::map<std::string, KnownImage> images_;
  bool looked_ = false;
  GcTime first_look_;
};

}  // namespace portcullis::node
