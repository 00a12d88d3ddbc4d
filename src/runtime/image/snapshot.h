// Root file systems of containers: overlayfs over an image's layers, with one writable folder per container.
//
//   Snapshots snapshots(store.get(), "/run/portcullis");
//   ASSIGN_OR_RETURN(Snapshot s, snapshots.Prepare(container_id, image));   // s.rootfs is mounted
//   ...
//   TRY(snapshots.Remove(container_id));
//
// The writable part is <state>/snapshots/<id>/{upper,work}, the mount <run>/snapshots/<id>/rootfs. Mounts outlive the
// daemon; after a reboot Mount() makes them again with the container's own changes kept. Thread-safe for different ids.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/image/image_store.h"
#include "runtime/image/usage_cache.h"

namespace portcullis::runtime {

struct Snapshot {
  std::string id;
  std::string image_id;
  std::string rootfs;     // absolute path of the mount point
  std::string upper_dir;  // the container's own changes
  bool mounted = false;
};

class Snapshots {
 public:
  // `store` must outlive this. `run_dir` is volatile (mount points).
  Snapshots(const ImageStore* store, std::string run_dir) : store_(store), run_dir_(std::move(run_dir)) {}

  // kAlreadyExists when the id has one. On an error nothing is left.
  Result<Snapshot> Prepare(const std::string& id, const Image& image);
  // Mounts it if it is not mounted (after a reboot). kNotFound when there is none.
  Result<Snapshot> Mount(const std::string& id);
  // Unmounts and deletes; absent is fine.
  Result<void> Remove(const std::string& id);

  Result<Snapshot> Get(const std::string& id) const;
  Result<std::vector<Snapshot>> List() const;  // what is on disk, by id; half-made ones too (then image_id is "")
  // Of the writable folder; a big one is not measured each time (usage_cache.h).
  Result<SnapshotUsage> Usage(const std::string& id) const;

 private:
  std::string RootfsPath(const std::string& id) const;
  std::string StatePath(const std::string& id) const;

  const ImageStore* store_;
  std::string run_dir_;
  mutable UsageCache usage_;
};

}  // namespace portcullis::runtime
