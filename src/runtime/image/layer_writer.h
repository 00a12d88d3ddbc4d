// Creates the files of one image layer below one folder, and nowhere else, whatever the layer says.
//
// Every path is cut into components ("..", NUL, overlong names and too deep paths are refused), its folder is opened
// with openat2(RESOLVE_IN_ROOT), and the last component is created relative to that descriptor without following links.
// A link that points out of the layer therefore leads back into it.
//
// Whiteouts become overlayfs's own marks (image-spec layer.md, "Whiteouts"): ".wh.x" a character device 0/0 named x,
// ".wh..wh..opq" the xattr trusted.overlay.opaque=y on the folder.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::runtime {

struct EntryMeta {
  mode_t mode = 0;  // permission bits with setuid, setgid, sticky
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime{};
  std::vector<std::pair<std::string, std::string>> xattrs;  // only security.capability and user.* are kept
};

class LayerWriter {
 public:
  // `root` is the empty folder to fill. `lower_roots` are the layers below, newest first: a folder that this layer uses
  // but does not describe looks as it did there.
  static Result<LayerWriter> Open(const std::string& root, std::vector<std::string> lower_roots, int max_depth);

  Result<void> AddDirectory(std::string_view path, const EntryMeta& meta);
  // A regular file to be written through the descriptor; FinishFile then sets what writing would disturb.
  Result<base::UniqueFd> AddFile(std::string_view path);
  Result<void> FinishFile(int fd, std::string_view path, const EntryMeta& meta);
  Result<void> AddSymlink(std::string_view path, const std::string& target, const EntryMeta& meta);
  Result<void> AddHardLink(std::string_view path, std::string_view target);
  // `type` is S_IFCHR, S_IFBLK or S_IFIFO.
  Result<void> AddNode(std::string_view path, mode_t type, dev_t device, const EntryMeta& meta);

  // If the name is a whiteout, applies it and returns true.
  Result<bool> ApplyWhiteout(std::string_view path);

  // Sets the times of folders, which filling them has changed.
  Result<void> Finish();

 private:
  struct Place {
    int parent = -1;   // valid until the next call
    std::string name;  // "" is the root itself
  };
  LayerWriter(base::UniqueFd root, std::vector<base::UniqueFd> lowers, int max_depth)
      : root_(std::move(root)), lowers_(std::move(lowers)), max_depth_(max_depth) {}

  Result<std::vector<std::string>> Components(std::string_view path) const;
  Result<Place> Locate(std::string_view path);
  Result<int> OpenFolder(const std::vector<std::string>& components, std::string_view path);
  Result<void> MakeFolders(const std::vector<std::string>& components, std::string_view path);
  Result<void> CopyLowerMeta(int fd, const std::string& folder);
  Result<bool> MakeFolder(int parent, const std::string& name, std::string_view path);
  Result<void> CheckPhysicalDepth(int fd, std::string_view path) const;
  Result<void> MakeRoom(const Place& place, std::string_view path);
  Result<void> SetOpaque(int fd, std::string_view path);
  Result<void> SetOwnerAndMode(const Place& place, std::string_view path, const EntryMeta& meta, bool has_mode);

  base::UniqueFd root_;
  std::vector<base::UniqueFd> lowers_;
  int max_depth_;
  // The folder of the last entry: most entries share it with the one before. Dropped when a folder or link may have
  // been replaced.
  std::optional<std::string> cached_folder_;
  base::UniqueFd cached_fd_;
  std::map<std::string, timespec> folder_times_;  // set at the end: filling a folder changes its time
};

}  // namespace portcullis::runtime
