#include "runtime/image/layer_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <array>
#include <climits>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr std::string_view kWhiteoutPrefix = ".wh.";
constexpr std::string_view kWhiteoutMeta = ".wh..wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr mode_t kDefaultFolderMode = 0755;

bool IsWhiteout(const struct stat& info) { return S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0); }

std::string ProcPath(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// Owner, mode and xattrs of an open file or folder, in the order the kernel needs: chown clears setuid and
// capabilities.
Result<void> ApplyMeta(int fd, std::string_view path, const EntryMeta& meta) {
  if (::fchown(fd, meta.uid, meta.gid) != 0) return FailErrno(errno, "layer entry {}: change owner", path);
  if (::fchmod(fd, meta.mode & 07777) != 0) return FailErrno(errno, "layer entry {}: change mode", path);
  for (const auto& [name, value] : meta.xattrs) {
    const bool user = name.starts_with("user.") && !name.starts_with("user.overlay.");
    if (!user && name != "security.capability") continue;
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) == 0) continue;
    if (user && errno == ENOTSUP) continue;  // a file system without user.*: nothing that security hangs on
    return FailErrno(errno, "layer entry {}: set attribute {}", path, name);
  }
  return {};
}

}  // namespace

Result<LayerWriter> LayerWriter::Open(const std::string& root, std::vector<std::string> lower_roots, int max_depth) {
  ASSIGN_OR_RETURN(base::UniqueFd root_fd, base::OpenDir(root));
  std::vector<base::UniqueFd> lowers;
  for (const std::string& lower : lower_roots) {
    ASSIGN_OR_RETURN(base::UniqueFd fd, base::OpenDir(lower));
    lowers.push_back(std::move(fd));
  }
  LayerWriter writer(std::move(root_fd), std::move(lowers), max_depth);
  TRY(writer.CopyLowerMeta(writer.root_.get(), "."));
  return writer;
}

Result<std::vector<std::string>> LayerWriter::Components(std::string_view path) const {
  std::vector<std::string> components;
  for (std::string& part : base::Split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return Fail(Code::kInvalidArgument, "layer entry {}: its path has \"..\"", base::Quote(path));
    if (part.size() > NAME_MAX) {
      return Fail(Code::kInvalidArgument, "layer entry {}...: a name is longer than {} bytes",
                  base::Quote(path.substr(0, 64)), NAME_MAX);
    }
    components.push_back(std::move(part));
  }
  if (components.size() > static_cast<size_t>(max_depth_)) {
    return Fail(Code::kResourceExhausted, "layer entry {}...: is deeper than {} folders",
                base::Quote(path.substr(0, 64)), max_depth_);
  }
  return components;
}

Result<LayerWriter::Place> LayerWriter::Locate(std::string_view path) {
  ASSIGN_OR_RETURN(std::vector<std::string> components, Components(path));
  if (components.empty()) return Place{.parent = root_.get(), .name = ""};
  Place place{.parent = -1, .name = std::move(components.back())};
  components.pop_back();
  ASSIGN_OR_RETURN(place.parent, OpenFolder(components, path));
  return place;
}

Result<int> LayerWriter::OpenFolder(const std::vector<std::string>& components, std::string_view path) {
  if (components.empty()) return root_.get();
  const std::string folder = base::Join(components, "/");
  if (cached_folder_ == folder) return cached_fd_.get();
  Result<base::UniqueFd> fd = base::OpenInRoot(root_.get(), folder, O_PATH | O_DIRECTORY);
  if (!fd && (fd.error().sys_errno == ENOENT || fd.error().sys_errno == ENOTDIR)) {
    TRY(MakeFolders(components, path));
    fd = base::OpenInRoot(root_.get(), folder, O_PATH | O_DIRECTORY);
  }
  if (!fd) return Wrap(std::move(fd).error(), "layer entry {}", base::Quote(path));
  TRY(CheckPhysicalDepth(fd->get(), path));
  cached_folder_ = folder;
  cached_fd_ = std::move(*fd);
  return cached_fd_.get();
}

// Links in the layer can chain short paths into a tree of any depth; whatever walks it later (removal, usage) relies on
// the limit.
Result<void> LayerWriter::CheckPhysicalDepth(int fd, std::string_view path) const {
  const auto depth = [](int of) -> int64_t {
    std::array<char, PATH_MAX> target{};
    const ssize_t n = ::readlink(ProcPath(of).c_str(), target.data(), target.size());
    if (n < 0 || static_cast<size_t>(n) >= target.size()) return INT_MAX;
    return std::count(target.begin(), target.begin() + n, '/');
  };
  if (depth(fd) - depth(root_.get()) > max_depth_) {
    return Fail(Code::kResourceExhausted, "layer entry {}...: leads deeper than {} folders through links",
                base::Quote(path.substr(0, 64)), max_depth_);
  }
  return {};
}

Result<void> LayerWriter::MakeFolders(const std::vector<std::string>& components, std::string_view path) {
  std::string folder;
  for (const std::string& component : components) {
    base::UniqueFd opened;
    int parent = root_.get();
    if (!folder.empty()) {
      ASSIGN_OR_RETURN(opened, base::OpenInRoot(root_.get(), folder, O_PATH | O_DIRECTORY));
      parent = opened.get();
    }
    folder += (folder.empty() ? "" : "/") + component;
    if (base::OpenInRoot(root_.get(), folder, O_PATH | O_DIRECTORY)) continue;
    ASSIGN_OR_RETURN(const bool fresh, MakeFolder(parent, component, path));
    if (!fresh) continue;
    const base::UniqueFd fd(::openat(parent, component.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid()) return FailErrno(errno, "layer entry {}: open {}", base::Quote(path), folder);
    TRY(CopyLowerMeta(fd.get(), folder));
  }
  return {};
}

// Makes a folder where there is none or a whiteout; the latter makes it opaque. False when it covers a lower one's
// whiteout, so that it must not inherit from below.
Result<bool> LayerWriter::MakeFolder(int parent, const std::string& name, std::string_view path) {
  if (::mkdirat(parent, name.c_str(), kDefaultFolderMode) == 0) return true;
  if (errno != EEXIST) return FailErrno(errno, "layer entry {}: create folder {}", base::Quote(path), name);
  struct stat info{};
  if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return FailErrno(errno, "stat {}", base::Quote(path));
  if (!IsWhiteout(info))
    return Fail(Code::kInvalidArgument, "layer entry {}: {} is not a folder", base::Quote(path), name);
  if (::unlinkat(parent, name.c_str(), 0) != 0 || ::mkdirat(parent, name.c_str(), kDefaultFolderMode) != 0) {
    return FailErrno(errno, "layer entry {}: create folder {}", base::Quote(path), name);
  }
  const base::UniqueFd fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return FailErrno(errno, "layer entry {}: open {}", base::Quote(path), name);
  if (::fchmod(fd.get(), kDefaultFolderMode) != 0)
    return FailErrno(errno, "layer entry {}: change mode", base::Quote(path));
  TRY(SetOpaque(fd.get(), path));
  return false;
}

Result<void> LayerWriter::CopyLowerMeta(int fd, const std::string& folder) {
  for (const base::UniqueFd& lower : lowers_) {
    auto below = base::OpenInRoot(lower.get(), folder, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (!below) continue;
    struct stat info{};
    if (::fstat(below->get(), &info) != 0) return FailErrno(errno, "stat {} in a lower layer", folder);
    TRY(ApplyMeta(fd, folder,
                  {.mode = info.st_mode, .uid = info.st_uid, .gid = info.st_gid, .mtime = {}, .xattrs = {}}));
    folder_times_[folder] = info.st_mtim;
    return {};
  }
  if (::fchmod(fd, kDefaultFolderMode) != 0) return FailErrno(errno, "layer entry {}: change mode", folder);
  return {};
}

Result<void> LayerWriter::SetOpaque(int fd, std::string_view path) {
  if (::fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) != 0) {
    return FailErrno(errno, "layer entry {}: mark the folder opaque", base::Quote(path));
  }
  return {};
}

// Takes away what is at the place, as a later entry of the same name wins.
Result<void> LayerWriter::MakeRoom(const Place& place, std::string_view path) {
  if (place.name.empty())
    return Fail(Code::kInvalidArgument, "layer entry {}: the root must be a folder", base::Quote(path));
  struct stat info{};
  if (::fstatat(place.parent, place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return FailErrno(errno, "layer entry {}: stat", base::Quote(path));
  }
  if (S_ISDIR(info.st_mode)) {
    TRY(base::RemoveTree(ProcPath(place.parent) + "/" + place.name));
  } else if (::unlinkat(place.parent, place.name.c_str(), 0) != 0) {
    return FailErrno(errno, "layer entry {}: replace", base::Quote(path));
  }
  cached_folder_.reset();
  return {};
}

Result<void> LayerWriter::AddDirectory(std::string_view path, const EntryMeta& meta) {
  ASSIGN_OR_RETURN(Place place, Locate(path));
  base::UniqueFd fd;
  if (!place.name.empty()) {
    struct stat info{};
    const bool exists = ::fstatat(place.parent, place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && !S_ISDIR(info.st_mode) && !IsWhiteout(info)) TRY(MakeRoom(place, path));
    if (!exists || !S_ISDIR(info.st_mode)) TRY(MakeFolder(place.parent, place.name, path));
    fd.Reset(::openat(place.parent, place.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  } else {
    fd.Reset(::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  if (!fd.valid()) return FailErrno(errno, "layer entry {}: open", base::Quote(path));
  TRY(ApplyMeta(fd.get(), path, meta));
  ASSIGN_OR_RETURN(std::vector<std::string> components, Components(path));
  folder_times_[components.empty() ? "." : base::Join(components, "/")] = meta.mtime;
  return {};
}

Result<base::UniqueFd> LayerWriter::AddFile(std::string_view path) {
  ASSIGN_OR_RETURN(Place place, Locate(path));
  TRY(MakeRoom(place, path));
  base::UniqueFd fd(
      ::openat(place.parent, place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) return FailErrno(errno, "layer entry {}: create", base::Quote(path));
  return fd;
}

Result<void> LayerWriter::FinishFile(int fd, std::string_view path, const EntryMeta& meta) {
  TRY(ApplyMeta(fd, path, meta));
  const std::array<timespec, 2> times{meta.mtime, meta.mtime};
  if (::futimens(fd, times.data()) != 0) return FailErrno(errno, "layer entry {}: set time", base::Quote(path));
  return {};
}

Result<void> LayerWriter::SetOwnerAndMode(const Place& place, std::string_view path, const EntryMeta& meta,
                                          bool has_mode) {
  const char* name = place.name.c_str();
  if (::fchownat(place.parent, name, meta.uid, meta.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return FailErrno(errno, "layer entry {}: change owner", base::Quote(path));
  }
  if (has_mode && ::fchmodat(place.parent, name, meta.mode & 07777, AT_SYMLINK_NOFOLLOW) != 0) {
    return FailErrno(errno, "layer entry {}: change mode", base::Quote(path));
  }
  const std::array<timespec, 2> times{meta.mtime, meta.mtime};
  if (::utimensat(place.parent, name, times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    return FailErrno(errno, "layer entry {}: set time", base::Quote(path));
  }
  return {};
}

Result<void> LayerWriter::AddSymlink(std::string_view path, const std::string& target, const EntryMeta& meta) {
  ASSIGN_OR_RETURN(Place place, Locate(path));
  TRY(MakeRoom(place, path));
  if (::symlinkat(target.c_str(), place.parent, place.name.c_str()) != 0) {
    return FailErrno(errno, "layer entry {}: create link", base::Quote(path));
  }
  return SetOwnerAndMode(place, path, meta, false);
}

Result<void> LayerWriter::AddHardLink(std::string_view path, std::string_view target) {
  ASSIGN_OR_RETURN(Place from, Locate(target));
  if (from.name.empty())
    return Fail(Code::kInvalidArgument, "layer entry {}: hard link to the root", base::Quote(path));
  // The next Locate may replace the cached descriptor.
  const base::UniqueFd from_parent(::fcntl(from.parent, F_DUPFD_CLOEXEC, 0));
  if (!from_parent.valid()) return FailErrno(errno, "layer entry {}: duplicate descriptor", base::Quote(path));
  ASSIGN_OR_RETURN(Place to, Locate(path));
  struct stat source{};
  struct stat existing{};
  if (::fstatat(from_parent.get(), from.name.c_str(), &source, AT_SYMLINK_NOFOLLOW) != 0) {
    return FailErrno(errno, "layer entry {}: hard link to {}", base::Quote(path), base::Quote(target));
  }
  if (::fstatat(to.parent, to.name.c_str(), &existing, AT_SYMLINK_NOFOLLOW) == 0 && existing.st_dev == source.st_dev &&
      existing.st_ino == source.st_ino) {
    return {};  // already the same file; making room would delete the target
  }
  TRY(MakeRoom(to, path));
  if (::linkat(from_parent.get(), from.name.c_str(), to.parent, to.name.c_str(), 0) != 0) {
    return FailErrno(errno, "layer entry {}: hard link to {}", base::Quote(path), base::Quote(target));
  }
  return {};
}

Result<void> LayerWriter::AddNode(std::string_view path, mode_t type, dev_t device, const EntryMeta& meta) {
  ASSIGN_OR_RETURN(Place place, Locate(path));
  TRY(MakeRoom(place, path));
  if (::mknodat(place.parent, place.name.c_str(), type | 0600, device) != 0) {
    return FailErrno(errno, "layer entry {}: create {}", base::Quote(path), type == S_IFIFO ? "fifo" : "device node");
  }
  return SetOwnerAndMode(place, path, meta, true);
}

Result<bool> LayerWriter::ApplyWhiteout(std::string_view path) {
  ASSIGN_OR_RETURN(Place place, Locate(path));
  if (!place.name.starts_with(kWhiteoutPrefix)) return false;
  if (place.name == kOpaque) {
    const base::UniqueFd fd(::openat(place.parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) return FailErrno(errno, "layer entry {}: open its folder", base::Quote(path));
    TRY(SetOpaque(fd.get(), path));
    return true;
  }
  if (place.name.starts_with(kWhiteoutMeta)) return true;  // AUFS's own bookkeeping
  const std::string hidden = place.name.substr(kWhiteoutPrefix.size());
  if (hidden.empty() || hidden == "." || hidden == "..") {
    return Fail(Code::kInvalidArgument, "layer entry {}: a whiteout of nothing", base::Quote(path));
  }
  if (::mknodat(place.parent, hidden.c_str(), S_IFCHR, makedev(0, 0)) == 0) return true;
  if (errno != EEXIST) return FailErrno(errno, "layer entry {}: create whiteout", base::Quote(path));
  // A whiteout hides only what lower layers have: what this layer brings under the name stays, and a folder starts
  // afresh.
  const base::UniqueFd fd(::openat(place.parent, hidden.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd.valid()) TRY(SetOpaque(fd.get(), path));
  return true;
}

Result<void> LayerWriter::Finish() {
  for (const auto& [folder, mtime] : folder_times_) {
    auto fd = base::OpenInRoot(root_.get(), folder, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (!fd) continue;  // replaced by a later entry
    const std::array<timespec, 2> times{mtime, mtime};
    if (::utimensat(AT_FDCWD, ProcPath(fd->get()).c_str(), times.data(), 0) != 0) {
      return FailErrno(errno, "layer entry {}: set time", base::Quote(folder));
    }
  }
  folder_times_.clear();
  return {};
}

}  // namespace portcullis::runtime
