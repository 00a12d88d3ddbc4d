#include "base/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::base {
namespace {

// What WriteFileAtomic writes to: "<path>.tmp-<12 hex digits>".
constexpr std::string_view kTemporaryMark = ".tmp-";
constexpr size_t kTemporaryBytes = 6;

Result<void> WriteAll(int fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return FailErrno(errno, "write {}", path);
    }
    data.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<UniqueFd> OpenAt2(int dir_fd, const std::string& path, int flags, mode_t mode, uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = resolve;
  while (true) {
    const long fd = ::syscall(SYS_openat2, dir_fd, path.c_str(), &how, sizeof how);
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    // EAGAIN: a rename or mount raced with the walk; the kernel asks to try again.
    if (errno != EINTR && errno != EAGAIN) return FailErrno(errno, "open {}", path);
  }
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using DirStream = std::unique_ptr<DIR, CloseDir>;

Result<DirStream> ReadDirOf(UniqueFd fd, const std::string& path) {
  DirStream dir(::fdopendir(fd.get()));
  if (!dir) return FailErrno(errno, "read directory {}", path);
  fd.Release();  // fdopendir took it
  return dir;
}

// The names in a folder but "." and "..". Half a listing is none: who deletes what is not in it would delete too much.
Result<std::vector<std::string>> NamesIn(DIR* dir, const std::string& path) {
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(dir);
    if (entry == nullptr && errno != 0) return FailErrno(errno, "read directory {}", path);
    if (entry == nullptr) return names;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
}

// Removes one tree. Whoever filled it chose its depth, so neither the stack nor the open descriptors may grow with it:
// folders that lie too deep are moved up into the tree's top folder and wait there for their turn.
class TreeRemover {
 public:
  explicit TreeRemover(dev_t device) : device_(device) {}

  Result<void> Remove(int parent, const std::string& name, const std::string& path) {
    return RemoveEntry(parent, name, 0, path);
  }

 private:
  static constexpr int kMaxDepth = 32;

  Result<void> RemoveEntry(int parent, const std::string& name, int depth, const std::string& path) {
    struct stat info{};
    if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return {};
      return FailErrno(errno, "stat {}", path);
    }
    if (!S_ISDIR(info.st_mode)) {
      if (::unlinkat(parent, name.c_str(), 0) != 0 && errno != ENOENT) return FailErrno(errno, "remove {}", path);
      return {};
    }
    if (info.st_dev != device_) return FailErrno(EXDEV, "remove {}: is a mount point", path);
    if (depth > kMaxDepth) return MoveUp(parent, name, path);
    return RemoveFolder(parent, name, depth, path);
  }

  Result<void> RemoveFolder(int parent, const std::string& name, int depth, const std::string& path) {
    UniqueFd fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid()) {
      if (errno == ENOENT) return {};
      return FailErrno(errno, "open {}", path);
    }
    ASSIGN_OR_RETURN(DirStream dir, ReadDirOf(std::move(fd), path));
    ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(dir.get(), path));
    if (depth == 0) top_ = ::dirfd(dir.get());
    for (const std::string& child : names) TRY(RemoveEntry(::dirfd(dir.get()), child, depth + 1, path + "/" + child));
    while (depth == 0 && !moved_up_.empty()) {
      const std::string child = std::move(moved_up_.back());
      moved_up_.pop_back();
      TRY(RemoveEntry(top_, child, 1, path + "/" + child));
    }
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
      return FailErrno(errno, "remove {}", path);
    return {};
  }

  Result<void> MoveUp(int parent, const std::string& name, const std::string& path) {
    std::string place = ".removing-" + RandomHex(8);
    if (::renameat(parent, name.c_str(), top_, place.c_str()) != 0) {
      if (errno == ENOENT) return {};
      return FailErrno(errno, "move {} up to remove it", path);
    }
    moved_up_.push_back(std::move(place));
    return {};
  }

  dev_t device_;
  int top_ = -1;
  std::vector<std::string> moved_up_;
};

std::string DirName(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> ReadFd(int fd, size_t max_bytes, const std::string& name_for_errors) {
  std::string out;
  std::string buffer(64 * 1024, '\0');
  while (true) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return FailErrno(errno, "read {}", name_for_errors);
    }
    if (n == 0) return out;
    if (out.size() + static_cast<size_t>(n) > max_bytes) {
      return Fail(Code::kResourceExhausted, "read {}: longer than the limit of {} bytes", name_for_errors, max_bytes);
    }
    out.append(buffer.data(), static_cast<size_t>(n));
  }
}

Result<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return FailErrno(errno, "open {}", path);
  return ReadFd(fd.get(), max_bytes, path);
}

Result<void> WriteFileAtomic(const std::string& path, std::string_view data, mode_t mode, Lasting lasting) {
  const std::string temporary = fmt::format("{}{}{}", path, kTemporaryMark, RandomHex(kTemporaryBytes));
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd.valid()) return FailErrno(errno, "create {}", temporary);
  const auto fill = [&]() -> Result<void> {
    TRY(WriteAll(fd.get(), data, temporary));
    if (::fchmod(fd.get(), mode) != 0) return FailErrno(errno, "chmod {}", temporary);  // the umask has no say
    if (lasting == Lasting::kForGood && ::fsync(fd.get()) != 0) return FailErrno(errno, "sync {}", temporary);
    if (::rename(temporary.c_str(), path.c_str()) != 0) return FailErrno(errno, "rename {} to {}", temporary, path);
    return {};
  };
  if (auto filled = fill(); !filled) {
    ::unlink(temporary.c_str());
    return filled;
  }
  if (lasting == Lasting::kUntilReboot) return {};
  const UniqueFd dir(::open(DirName(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.valid() && ::fsync(dir.get()) != 0) return FailErrno(errno, "sync folder of {}", path);
  return {};
}

Result<void> RemoveHalfWritten(const std::string& folder) {
  auto names = ListDir(folder);
  if (!names && names.error().sys_errno == ENOENT) return {};
  if (!names) return Failure(std::move(names).error());
  for (const std::string& name : *names) {
    const size_t mark = name.rfind(kTemporaryMark);
    if (mark == std::string::npos || name.size() != mark + kTemporaryMark.size() + 2 * kTemporaryBytes) continue;
    const std::string path = folder + "/" + name;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FailErrno(errno, "remove {}", path);
  }
  return {};
}

Result<void> WriteKernelFile(const std::string& path, std::string_view data) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return FailErrno(errno, "open {}", path);
  return WriteAll(fd.get(), data, path);
}

Result<void> MakeDirs(const std::string& path, mode_t mode) {
  const std::string clean = CleanPath(path);
  for (size_t end = 1; end <= clean.size(); ++end) {
    if (end < clean.size() && clean[end] != '/') continue;
    const std::string prefix = clean.substr(0, end);
    if (::mkdir(prefix.c_str(), mode) == 0 || errno == EEXIST) continue;
    return FailErrno(errno, "create folder {}", prefix);
  }
  struct stat info{};
  if (::stat(clean.c_str(), &info) != 0) return FailErrno(errno, "stat {}", clean);
  if (!S_ISDIR(info.st_mode)) return FailErrno(ENOTDIR, "create folder {}", clean);
  return {};
}

bool Exists(const std::string& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0;
}

Result<void> RemoveTree(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return FailErrno(errno, "stat {}", path);
  }
  struct stat parent{};
  if (::stat(DirName(CleanPath(path)).c_str(), &parent) == 0 && S_ISDIR(info.st_mode) && parent.st_dev != info.st_dev) {
    return FailErrno(EXDEV, "remove {}: is a mount point", path);
  }
  return TreeRemover(info.st_dev).Remove(AT_FDCWD, path, path);
}

Result<std::vector<std::string>> ListDir(const std::string& path) {
  ASSIGN_OR_RETURN(UniqueFd fd, OpenDir(path));
  ASSIGN_OR_RETURN(DirStream dir, ReadDirOf(std::move(fd), path));
  ASSIGN_OR_RETURN(std::vector<std::string> names, NamesIn(dir.get(), path));
  std::sort(names.begin(), names.end());
  return names;
}

Result<UniqueFd> OpenInRoot(int root_fd, const std::string& path, int flags, mode_t mode) {
  return OpenAt2(root_fd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

Result<UniqueFd> OpenBeneath(int dir_fd, const std::string& path, int flags) {
  return OpenAt2(dir_fd, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

Result<UniqueFd> OpenDir(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return FailErrno(errno, "open folder {}", path);
  return fd;
}

std::string CleanPath(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string> kept;
  for (std::string& part : Split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!kept.empty() && kept.back() != "..") {
        kept.pop_back();
        continue;
      }
      if (absolute) continue;
    }
    kept.push_back(std::move(part));
  }
  const std::string joined = Join(kept, "/");
  if (absolute) return "/" + joined;
  return joined.empty() ? "." : joined;
}

std::string JoinPath(std::string_view root, std::string_view relative) {
  if (root.empty()) return relative.empty() ? "" : CleanPath(relative);
  return CleanPath(std::string(root) + "/" + std::string(relative));
}

Result<UniqueFd> LockOwner(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) return FailErrno(errno, "open {}", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return FailErrno(errno, "lock {}", path);
    const std::string holder = ReadFd(fd.get(), 64, path).value_or("");
    return Fail(Code::kFailedPrecondition, "lock {}: process {} already owns this folder", path,
                holder.empty() ? "(unknown)" : std::string(Trim(holder)));
  }
  if (::ftruncate(fd.get(), 0) != 0) return FailErrno(errno, "truncate {}", path);
  TRY(WriteAll(fd.get(), fmt::format("{}\n", ::getpid()), path));
  return fd;
}

}  // namespace portcullis::base
