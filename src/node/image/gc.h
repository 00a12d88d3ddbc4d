// Image garbage collection, through any CRI runtime: every five minutes, as the kubelet does.
//
//   ImageGc gc({.high_percent = 85, .low_percent = 80}, runtime, std::move(events));
//   gc.Start();      // the first round at once
//   gc.Stop();
//
// A round lists images and containers, asks the runtime where its images are (ImageFsInfo), and the kernel how full
// that file system is. Images of containers (running or not) and of wanted pods stay, and so do pinned ones and that of
// the runtime's pause container.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/result.h"
#include "cri/runtime_api.h"
#include "node/image/gc_policy.h"

namespace portcullis::node {

struct ImageGcEvents {
  // Names that the pods which are wanted give; they may have no container yet.
  std::function<std::set<std::string>()> wanted_images = [] { return std::set<std::string>(); };
  // An image was removed; the reason is "space" or "age".
  std::function<void(const std::string& reason)> on_removed = [](const auto&) {};
  // How full the file system at a mount point is.
  std::function<Result<DiskUse>(const std::string& mountpoint)> disk_use;  // empty: statvfs(3)
};

class ImageGc {
 public:
  ImageGc(ImageGcPolicy policy, cri::RuntimeApi& runtime, ImageGcEvents events);
  ~ImageGc();  // stops
  ImageGc(const ImageGc&) = delete;
  ImageGc& operator=(const ImageGc&) = delete;

  void Start();  // nothing when the policy is off, or it runs
  void Stop();

  // One round. kResourceExhausted: not enough could be removed; the text says how much.
  Result<void> Collect(GcTime now);

 private:
  Result<void> Observe(GcTime now);
  Result<DiskUse> Use(std::string& mountpoint);
  // How many bytes the runtime said it had; 0 when it could not be removed.
  uint64_t Remove(const KnownImage& known, const std::string& reason);
  void Loop(const std::stop_token& stop);

  const ImageGcPolicy policy_;
  cri::RuntimeApi& runtime_;
  ImageGcEvents events_;
  ImageLedger ledger_;
  std::string last_problem_;  // told once

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace portcullis::node
