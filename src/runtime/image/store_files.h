// Where the image store keeps things, and the two ways things come to be there: write-verify-rename, and one lock.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/image/sha256.h"

namespace portcullis::runtime {

class StoreLayout {
 public:
  explicit StoreLayout(std::string state_dir) : state_dir_(std::move(state_dir)) {}

  std::string Records() const { return state_dir_ + "/images"; }
  std::string LockFile() const { return state_dir_ + "/images/lock"; }
  std::string Blobs() const { return state_dir_ + "/blobs/sha256"; }
  std::string Blob(std::string_view digest) const;
  std::string Layers() const { return state_dir_ + "/layers"; }
  std::string Layer(std::string_view chain_id) const;  // holds fs/ and layer.json
  // Short names of layers, for overlayfs's option string of at most one page: layers/l/<20 digits> -> ../<64
  // digits>/fs.
  std::string ShortLinks() const { return state_dir_ + "/layers/l"; }
  static std::string ShortName(std::string_view chain_id);
  std::string Snapshots() const { return state_dir_ + "/snapshots"; }
  std::string Temporary() const { return state_dir_ + "/tmp"; }

 private:
  std::string state_dir_;
};

// flock(2), waiting. `operation` is LOCK_EX or LOCK_SH; released when the descriptor closes.
Result<base::UniqueFd> LockStore(const StoreLayout& layout, int operation);
// As above with LOCK_EX, but an invalid descriptor at once when another holder is at work.
Result<base::UniqueFd> TryLockStore(const StoreLayout& layout);

// A new folder below tmp/, removed with its content at the end of life.
class ScratchDir {
 public:
  static Result<ScratchDir> Make(const StoreLayout& layout);
  ScratchDir(ScratchDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchDir& operator=(ScratchDir&& other) noexcept;
  ~ScratchDir();
  const std::string& path() const { return path_; }

 private:
  explicit ScratchDir(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// A file whose content has been digested while it was written.
struct StagedFile {
  std::string path;
  std::string digest;
  int64_t size = 0;
};

class StagingWriter {
 public:
  static Result<StagingWriter> Create(const std::string& path);
  Result<void> Write(std::span<const char> data);
  StagedFile Finish();
  int64_t size() const { return size_; }

 private:
  StagingWriter(std::string path, base::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  base::UniqueFd fd_;
  Sha256 sha_;
  int64_t size_ = 0;
};

// Moves a staged file into the blobs under its digest, durable before visible.
Result<void> AdoptBlob(const StoreLayout& layout, const StagedFile& file);
// Writes small content as a blob.
Result<void> WriteBlob(const StoreLayout& layout, const std::string& digest, std::string_view data);
// Content of a small blob, verified again; kDataLoss when the disk holds something else.
Result<std::string> ReadBlob(const StoreLayout& layout, const std::string& digest, size_t max_bytes);
// The blob is there, and its content is what its name says. Reads all of it.
bool BlobIsWhole(const StoreLayout& layout, const std::string& digest, int64_t size);

Result<void> SyncDir(const std::string& path);

// Allocated bytes and inodes of a tree; hard links count once.
struct TreeSize {
  int64_t bytes = 0;
  int64_t inodes = 0;
};
Result<TreeSize> MeasureTree(const std::string& path);

// statx(2): something is mounted exactly here.
bool IsMountPoint(const std::string& path);

}  // namespace portcullis::runtime
