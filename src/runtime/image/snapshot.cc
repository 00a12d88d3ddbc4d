#include "runtime/image/snapshot.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/thread.h"
#include "base/try.h"
#include "runtime/image/snapshot_record.h"
#include "runtime/image/store_files.h"
#include "spec/oci/digest.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxMountOptions = 4095;       // mount(2) copies one page
constexpr const char* kNoLayers = "no-layers";  // lower folder of an image without layers; overlayfs wants one

// mount(2) of an overlay whose lower folders are named relative to `links`. The working folder belongs to a thread of
// its own, as changing the process's would disturb everybody.
Result<void> MountOverlay(const std::string& links, const std::string& target, const std::string& options) {
  int failure = 0;
  const std::string what = "mount overlay on " + target;
  ASSIGN_OR_RETURN(std::thread worker, base::StartThread(what, [&] {
                     const bool mounted = ::unshare(CLONE_FS) == 0 && ::chdir(links.c_str()) == 0 &&
                                          ::mount("overlay", target.c_str(), "overlay", 0, options.c_str()) == 0;
                     if (!mounted) failure = errno;
                   }));
  worker.join();
  if (failure != 0) return FailErrno(failure, "{}", what);
  return {};
}

// layers/l/<short> -> ../<hex>/fs
Result<void> EnsureShortLink(const StoreLayout& layout, const std::string& chain_id) {
  const std::string link = layout.ShortLinks() + "/" + StoreLayout::ShortName(chain_id);
  const std::string target = "../" + std::string(oci::DigestHex(chain_id)) + "/fs";
  if (::symlink(target.c_str(), link.c_str()) != 0 && errno != EEXIST) return FailErrno(errno, "create link {}", link);
  return {};
}

// The newest layer decides how "/" looks.
Result<void> CopyRootMeta(const std::string& from, const std::string& to) {
  struct stat info{};
  if (::stat(from.c_str(), &info) != 0) return FailErrno(errno, "stat {}", from);
  if (::chown(to.c_str(), info.st_uid, info.st_gid) != 0) return FailErrno(errno, "change owner of {}", to);
  if (::chmod(to.c_str(), info.st_mode & 07777) != 0) return FailErrno(errno, "change mode of {}", to);
  return {};
}

Result<void> CheckId(const std::string& id) {
  if (id.empty() || id.size() > 255 || id.front() == '.' || id.find('/') != std::string::npos) {
    return Fail(Code::kInvalidArgument, "snapshot id {} is not a file name", base::Quote(id));
  }
  return {};
}

Result<void> MountSnapshot(const StoreLayout& layout, const std::string& id, const SnapshotRecord& record,
                           const std::string& rootfs) {
  const std::string home = layout.Snapshots() + "/" + id;
  std::string lower;
  for (auto it = record.chain_ids.rbegin(); it != record.chain_ids.rend(); ++it) {
    if (!base::Exists(layout.Layer(*it) + "/fs")) {
      return Fail(Code::kFailedPrecondition, "snapshot {}: layer {} is not unpacked; load the image again", id, *it);
    }
    TRY(EnsureShortLink(layout, *it));
    lower += (lower.empty() ? "" : ":") + StoreLayout::ShortName(*it);
  }
  if (record.chain_ids.empty()) lower = home + "/" + kNoLayers;
  std::string options = fmt::format("lowerdir={},upperdir={}/upper,workdir={}/work", lower, home, home);
  // Without index, one layer may be below many mounts at once on every kernel.
  if (base::Exists("/sys/module/overlay/parameters/index")) options += ",index=off";
  if (options.size() > kMaxMountOptions) {
    return Fail(Code::kResourceExhausted, "snapshot {}: {} layers do not fit one mount", id, record.chain_ids.size());
  }
  return MountOverlay(layout.ShortLinks(), rootfs, options);
}

Result<void> Unmount(const std::string& path) {
  if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return {};
  if (errno == EINVAL || errno == ENOENT) return {};  // not mounted
  return FailErrno(errno, "unmount {}", path);
}

}  // namespace

std::string Snapshots::StatePath(const std::string& id) const {
  return StoreLayout(store_->state_dir()).Snapshots() + "/" + id;
}

std::string Snapshots::RootfsPath(const std::string& id) const { return run_dir_ + "/snapshots/" + id + "/rootfs"; }

Result<Snapshot> Snapshots::Prepare(const std::string& id, const Image& image) {
  TRY(CheckId(id));
  const StoreLayout layout(store_->state_dir());
  const std::string home = StatePath(id);
  ASSIGN_OR_RETURN(const base::UniqueFd lock, store_->LockShared());
  if (::mkdir(home.c_str(), 0700) != 0) {
    if (errno == EEXIST) return Fail(Code::kAlreadyExists, "snapshot {} already exists", id);
    return FailErrno(errno, "create folder {}", home);
  }
  const auto make = [&]() -> Result<void> {
    for (const char* folder : {"upper", "work", kNoLayers}) {
      const std::string path = home + "/" + folder;
      // Twice, as the first is subject to the umask.
      if (::mkdir(path.c_str(), 0755) != 0 || ::chmod(path.c_str(), 0755) != 0)
        return FailErrno(errno, "create folder {}", path);
    }
    const SnapshotRecord record{.image_id = image.id, .chain_ids = image.chain_ids};
    if (!image.chain_ids.empty()) TRY(CopyRootMeta(store_->LayerPath(image.chain_ids.back()), home + "/upper"));
    TRY(WriteSnapshotRecord(layout, id, record));
    TRY(base::MakeDirs(RootfsPath(id), 0711));
    return MountSnapshot(layout, id, record, RootfsPath(id));
  };
  if (auto made = make(); !made) {
    if (auto removed = Remove(id); !removed) {
      base::LogWarning("half-made snapshot stays", {{"snapshot", id}, {"error", removed.error().message}});
    }
    return Wrap(std::move(made).error(), "prepare snapshot {}", id);
  }
  return Get(id);
}

Result<Snapshot> Snapshots::Mount(const std::string& id) {
  TRY(CheckId(id));
  const StoreLayout layout(store_->state_dir());
  ASSIGN_OR_RETURN(const base::UniqueFd lock, store_->LockShared());
  ASSIGN_OR_RETURN(const SnapshotRecord record, ReadSnapshotRecord(layout, id));
  if (!IsMountPoint(RootfsPath(id))) {
    TRY(base::MakeDirs(RootfsPath(id), 0711));
    TRY(MountSnapshot(layout, id, record, RootfsPath(id)));
  }
  return Get(id);
}

Result<void> Snapshots::Remove(const std::string& id) {
  TRY(CheckId(id));
  TRY(Unmount(RootfsPath(id)));
  TRY(base::RemoveTree(run_dir_ + "/snapshots/" + id));
  TRY(base::RemoveTree(StatePath(id)));
  usage_.Forget(id);
  return {};
}

Result<Snapshot> Snapshots::Get(const std::string& id) const {
  TRY(CheckId(id));
  if (!base::Exists(StatePath(id))) return Fail(Code::kNotFound, "snapshot {} does not exist", id);
  Snapshot snapshot{.id = id,
                    .image_id = {},
                    .rootfs = RootfsPath(id),
                    .upper_dir = StatePath(id) + "/upper",
                    .mounted = IsMountPoint(RootfsPath(id))};
  if (auto record = ReadSnapshotRecord(StoreLayout(store_->state_dir()), id)) snapshot.image_id = record->image_id;
  return snapshot;
}

Result<std::vector<Snapshot>> Snapshots::List() const {
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, base::ListDir(StoreLayout(store_->state_dir()).Snapshots()));
  std::vector<Snapshot> snapshots;
  for (const std::string& id : ids) {
    auto snapshot = Get(id);
    if (snapshot) snapshots.push_back(std::move(*snapshot));  // else removed since the listing
  }
  return snapshots;
}

Result<SnapshotUsage> Snapshots::Usage(const std::string& id) const {
  TRY(CheckId(id));
  if (!base::Exists(StatePath(id))) return Fail(Code::kNotFound, "snapshot {} does not exist", id);
  return usage_.Get(id, [&] { return MeasureTree(StatePath(id) + "/upper"); });
}

}  // namespace portcullis::runtime
