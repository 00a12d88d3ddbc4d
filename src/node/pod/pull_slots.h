// How many images are pulled at a time: serializeImagePulls and maxParallelImagePulls. Who comes first goes first.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace portcullis::node {

class PullSlots {
 public:
  explicit PullSlots(int limit) : limit_(static_cast<uint64_t>(limit)) {}  // 0: no limit

  // Waits for a place and holds it for its life.
  class Place {
   public:
    explicit Place(PullSlots& slots);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    PullSlots& slots_;
  };

 private:
  const uint64_t limit_;
  std::mutex mutex_;
  std::condition_variable freed_;
  uint64_t came_ = 0;
  uint64_t gone_ = 0;
};

}  // namespace portcullis::node
