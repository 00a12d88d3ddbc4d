#include "runtime/image/store_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <set>
#include <vector>

#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "spec/oci/digest.h"

namespace portcullis::runtime {

std::string StoreLayout::Blob(std::string_view digest) const {
  return Blobs() + "/" + std::string(oci::DigestHex(digest));
}

std::string StoreLayout::Layer(std::string_view chain_id) const {
  return Layers() + "/" + std::string(oci::DigestHex(chain_id));
}

std::string StoreLayout::ShortName(std::string_view chain_id) {
  constexpr size_t kDigits = 20;  // 80 bits: no two layers of one host meet
  return std::string(oci::DigestHex(chain_id).substr(0, kDigits));
}

namespace {

Result<base::UniqueFd> OpenLock(const StoreLayout& layout) {
  base::UniqueFd fd(::open(layout.LockFile().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return FailErrno(errno, "open {}", layout.LockFile());
  return fd;
}

}  // namespace

Result<base::UniqueFd> LockStore(const StoreLayout& layout, int operation) {
  ASSIGN_OR_RETURN(base::UniqueFd fd, OpenLock(layout));
  while (::flock(fd.get(), operation) != 0) {
    if (errno != EINTR) return FailErrno(errno, "lock {}", layout.LockFile());
  }
  return fd;
}

Result<base::UniqueFd> TryLockStore(const StoreLayout& layout) {
  ASSIGN_OR_RETURN(base::UniqueFd fd, OpenLock(layout));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK) return base::UniqueFd();
  return FailErrno(errno, "lock {}", layout.LockFile());
}

Result<ScratchDir> ScratchDir::Make(const StoreLayout& layout) {
  std::string path = layout.Temporary() + "/" + base::RandomHex(8);
  if (::mkdir(path.c_str(), 0700) != 0) return FailErrno(errno, "create folder {}", path);
  return ScratchDir(std::move(path));
}

ScratchDir& ScratchDir::operator=(ScratchDir&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

ScratchDir::~ScratchDir() {
  if (path_.empty()) return;
  if (auto removed = base::RemoveTree(path_); !removed) {
    base::LogWarning("scratch folder stays until the next start", {{"error", removed.error().message}});
  }
}

Result<StagingWriter> StagingWriter::Create(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) return FailErrno(errno, "create {}", path);
  return StagingWriter(path, std::move(fd));
}

Result<void> StagingWriter::Write(std::span<const char> data) {
  sha_.Update(data);
  size_ += static_cast<int64_t>(data.size());
  while (!data.empty()) {
    const ssize_t n = ::write(fd_.get(), data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(errno, "write {}", path_);
    data = data.subspan(static_cast<size_t>(n));
  }
  return {};
}

StagedFile StagingWriter::Finish() { return {.path = path_, .digest = sha_.Finish(), .size = size_}; }

Result<void> SyncDir(const std::string& path) {
  ASSIGN_OR_RETURN(base::UniqueFd fd, base::OpenDir(path));
  if (::fsync(fd.get()) != 0) return FailErrno(errno, "sync {}", path);
  return {};
}

Result<void> AdoptBlob(const StoreLayout& layout, const StagedFile& file) {
  const std::string target = layout.Blob(file.digest);
  {
    const base::UniqueFd fd(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return FailErrno(errno, "open {}", file.path);
    if (::fsync(fd.get()) != 0) return FailErrno(errno, "sync {}", file.path);
  }
  if (::rename(file.path.c_str(), target.c_str()) != 0) return FailErrno(errno, "rename {} to {}", file.path, target);
  return SyncDir(layout.Blobs());
}

Result<void> WriteBlob(const StoreLayout& layout, const std::string& digest, std::string_view data) {
  return base::WriteFileAtomic(layout.Blob(digest), data, 0600);
}

Result<std::string> ReadBlob(const StoreLayout& layout, const std::string& digest, size_t max_bytes) {
  ASSIGN_OR_RETURN(std::string data, base::ReadFile(layout.Blob(digest), max_bytes));
  if (oci::DigestOf(data) != digest) {
    return Fail(Code::kDataLoss, "blob {}: the file's content has another digest; load the image again",
                layout.Blob(digest));
  }
  return data;
}

bool BlobIsWhole(const StoreLayout& layout, const std::string& digest, int64_t size) {
  const base::UniqueFd fd(::open(layout.Blob(digest).c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != size) return false;
  Sha256 sha;
  std::vector<char> buffer(256 * 1024);
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) return sha.Finish() == digest;
    sha.Update({buffer.data(), static_cast<size_t>(n)});
  }
}

namespace {

// Measures a tree that may be a live container's, which chooses its depth and changes it meanwhile: one open descriptor
// at a time, no recursion, and the way back up through ".." is checked.
class TreeMeter {
 public:
  explicit TreeMeter(std::string path) : path_(std::move(path)) {}

  Result<TreeSize> Measure() {
    ASSIGN_OR_RETURN(base::UniqueFd at, base::OpenDir(path_));
    TRY(Enter(at));
    while (true) {
      std::vector<std::string>& folders = levels_.back().folders;
      if (!folders.empty()) {
        const std::string name = std::move(folders.back());
        folders.pop_back();
        base::UniqueFd child(::openat(at.get(), name.c_str(), kFolder));
        if (!child.valid() && errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EACCES)
          return FailErrno(errno, "measure {}: open {}", path_, name);
        if (!child.valid()) continue;  // it went away
        at = std::move(child);
        TRY(Enter(at));
        continue;
      }
      levels_.pop_back();
      if (levels_.empty()) return total_;
      base::UniqueFd parent(::openat(at.get(), "..", kFolder));
      struct stat info{};
      if (!parent.valid() || ::fstat(parent.get(), &info) != 0) return FailErrno(errno, "measure {}: open ..", path_);
      // Moved away by the container just now: what is left of it is counted the next time.
      if (info.st_dev != levels_.back().device || info.st_ino != levels_.back().inode) return total_;
      at = std::move(parent);
    }
  }

 private:
  static constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

  struct Level {
    dev_t device = 0;
    ino_t inode = 0;
    std::vector<std::string> folders;  // still to be entered
  };

  // Counts a folder and the files in it; its subfolders wait in a new level.
  Result<void> Enter(const base::UniqueFd& folder) {
    struct stat info{};
    if (::fstat(folder.get(), &info) != 0) return FailErrno(errno, "measure {}: stat", path_);
    Level level{.device = info.st_dev, .inode = info.st_ino, .folders = {}};
    Count(info);
    // ListDir opens the folder anew: the descriptor here keeps its own place in the tree.
    const auto names = base::ListDir(fmt::format("/proc/self/fd/{}", folder.get()));
    if (!names && names.error().sys_errno != ENOENT) return Failure(names.error());
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
      if (::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;  // it went away
      if (!S_ISDIR(info.st_mode)) {
        Count(info);
      } else if (info.st_dev == level.device) {
        level.folders.push_back(name);
      }
    }
    levels_.push_back(std::move(level));
    return {};
  }

  void Count(const struct stat& info) {
    constexpr int64_t kBlock = 512;  // st_blocks is in these, whatever the file system
    if (!S_ISDIR(info.st_mode) && info.st_nlink > 1 && !linked_.emplace(info.st_dev, info.st_ino).second) return;
    total_.bytes += info.st_blocks * kBlock;
    ++total_.inodes;
  }

  const std::string path_;
  TreeSize total_;
  std::set<std::pair<dev_t, ino_t>> linked_;
  std::vector<Level> levels_;
};

}  // namespace

Result<TreeSize> MeasureTree(const std::string& path) { return TreeMeter(path).Measure(); }

bool IsMountPoint(const std::string& path) {
  struct statx info{};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &info) != 0) return false;
  return (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace portcullis::runtime
