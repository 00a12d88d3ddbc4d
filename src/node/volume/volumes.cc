#include "node/volume/volumes.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cstdio>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::node {
namespace {

// Open to every user that the containers may run as; to the group's members, too, with what they create in it (setgid).
mode_t EmptyDirMode(std::optional<int64_t> fs_group) { return fs_group ? 02777 : 0777; }

// Mode and group come with the mount: there is no moment at which it has others.
Result<void> MountTmpfs(const std::string& path, const k8s::EmptyDir& source, std::optional<int64_t> fs_group) {
  struct statfs info{};
  if (::statfs(path.c_str(), &info) != 0) return FailErrno(errno, "stat file system of {}", path);
  struct stat own{}, parent{};
  bool mounted =
      ::lstat(path.c_str(), &own) == 0 && ::stat((path + "/..").c_str(), &parent) == 0 && own.st_dev != parent.st_dev;
  if (mounted && info.f_type == TMPFS_MAGIC) return {};
  std::string options = fmt::format("mode={:o}", EmptyDirMode(fs_group));
  if (fs_group) options += fmt::format(",gid={}", *fs_group);
  if (source.size_limit && !source.size_limit->IsZero())
    options += ",size=" + std::to_string(source.size_limit->Value());
  if (::mount("tmpfs", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    return FailErrno(errno, "mount tmpfs on {}", path);
  }
  return {};
}

// Made under another name, which no volume can have, and renamed when it is as it should be: after a crash the volume
// is there with its mode and group, or not at all.
Result<void> MakeEmptyDir(const std::string& path, std::optional<int64_t> fs_group) {
  const size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash);
  const std::string made = folder + "/.new-" + path.substr(slash + 1);
  TRY(base::MakeDirs(folder, 0750));
  TRY(base::RemoveTree(made));
  TRY(base::MakeDirs(made, 0750));
  ASSIGN_OR_RETURN(base::UniqueFd fd, base::OpenDir(made));
  if (fs_group && ::fchown(fd.get(), static_cast<uid_t>(-1), static_cast<gid_t>(*fs_group)) != 0) {
    return FailErrno(errno, "give {} to group {}", path, *fs_group);
  }
  if (::fchmod(fd.get(), EmptyDirMode(fs_group)) != 0) return FailErrno(errno, "set mode of {}", path);
  if (::rename(made.c_str(), path.c_str()) != 0) return FailErrno(errno, "rename {} to {}", made, path);
  return {};
}

Result<std::string> SetUpEmptyDir(const std::string& path, const k8s::EmptyDir& source,
                                  std::optional<int64_t> fs_group) {
  if (!source.medium.empty() && source.medium != "Memory") {
    return Fail(Code::kInvalidArgument, "unknown storage medium {}", base::Quote(source.medium));
  }
  if (!base::Exists(path)) TRY(MakeEmptyDir(path, fs_group));
  if (source.medium == "Memory") TRY(MountTmpfs(path, source, fs_group));
  return path;
}

Result<void> MakeFile(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return FailErrno(errno, "create {}", path);
  return {};
}

// A new folder, as open as its volume; of the volume's group where the volume hands its group on (setgid).
Result<void> MakeLike(const struct stat& volume, int holder, const std::string& name) {
  if (::mkdirat(holder, name.c_str(), 0750) != 0) {
    if (errno == EEXIST) return {};
    return FailErrno(errno, "make folder {}", name);
  }
  ASSIGN_OR_RETURN(base::UniqueFd fd, base::OpenBeneath(holder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const bool group = (volume.st_mode & S_ISGID) != 0;
  if (group && ::fchown(fd.get(), static_cast<uid_t>(-1), volume.st_gid) != 0) {
    return FailErrno(errno, "give {} to group {}", name, volume.st_gid);
  }
  if (::fchmod(fd.get(), volume.st_mode & (0777 | S_ISGID)) != 0) return FailErrno(errno, "set mode of {}", name);
  return {};
}

// The folder `relative` beneath `volume`, made where absent. No step can leave the volume, whatever links it holds.
Result<base::UniqueFd> MakeBeneath(const base::UniqueFd& volume, const std::string& relative) {
  struct stat info{};
  if (::fstat(volume.get(), &info) != 0) return FailErrno(errno, "stat the volume");
  std::string made;
  for (const std::string& part : base::Split(relative, '/')) {
    base::UniqueFd holder(::fcntl(volume.get(), F_DUPFD_CLOEXEC, 0));
    if (!holder.valid()) return FailErrno(errno, "duplicate a descriptor");
    if (!made.empty()) {
      ASSIGN_OR_RETURN(holder, base::OpenBeneath(volume.get(), made, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    TRY(MakeLike(info, holder.get(), part));
    made += (made.empty() ? "" : "/") + part;
  }
  return base::OpenBeneath(volume.get(), relative, O_PATH | O_CLOEXEC);
}

}  // namespace

Result<void> CheckHostPath(const k8s::HostPath& host_path) {
  const std::string& path = host_path.path;
  if (host_path.type.empty()) return {};
  struct stat info{};
  bool exists = ::stat(path.c_str(), &info) == 0;
  if (!exists && host_path.type == "DirectoryOrCreate") {
    TRY(base::MakeDirs(path, 0755));
    exists = ::stat(path.c_str(), &info) == 0;
  }
  if (!exists && host_path.type == "FileOrCreate") {
    TRY(MakeFile(path));
    exists = ::stat(path.c_str(), &info) == 0;
  }
  struct Kind {
    std::string_view type;
    mode_t mode;
    const char* name;
  };
  constexpr Kind kKinds[] = {{"DirectoryOrCreate", S_IFDIR, "directory"}, {"Directory", S_IFDIR, "directory"},
                             {"FileOrCreate", S_IFREG, "file"},           {"File", S_IFREG, "file"},
                             {"Socket", S_IFSOCK, "socket file"},         {"CharDevice", S_IFCHR, "character device"},
                             {"BlockDevice", S_IFBLK, "block device"}};
  for (const Kind& kind : kKinds) {
    if (kind.type != host_path.type) continue;
    if (exists && (info.st_mode & S_IFMT) == kind.mode) return {};
    return Fail(Code::kFailedPrecondition, "hostPath type check failed: {} is not a {}", path, kind.name);
  }
  return Fail(Code::kInvalidArgument, "{} is an invalid volume type", host_path.type);
}

Result<VolumePaths> SetUpVolumes(const k8s::Pod& pod, const PodDirs& dirs) {
  VolumePaths paths;
  for (const k8s::Volume& volume : pod.spec.volumes) {
    Result<std::string> path;
    if (const auto* empty_dir = std::get_if<k8s::EmptyDir>(&volume.source)) {
      path = SetUpEmptyDir(dirs.empty_dir(volume.name), *empty_dir, pod.spec.security_context.fs_group);
    } else {
      const auto& host_path = std::get<k8s::HostPath>(volume.source);
      path = host_path.path;
      if (auto fits = CheckHostPath(host_path); !fits) path = Failure(std::move(fits).error());
    }
    if (!path) return Wrap(std::move(path).error(), "MountVolume.SetUp failed for volume \"{}\" ", volume.name);
    paths[volume.name] = std::move(path).value();
  }
  return paths;
}

Result<std::string> SubPathSource(const std::string& volume_path, const std::string& sub_path,
                                  const std::string& bind_target) {
  std::string relative = base::CleanPath(sub_path);
  if (relative == ".") return volume_path;
  if (relative.starts_with('/') || relative == ".." || relative.starts_with("../")) {
    return Fail(Code::kInvalidArgument, "subPath {} leaves its volume", base::Quote(sub_path));
  }
  ASSIGN_OR_RETURN(base::UniqueFd volume, base::OpenDir(volume_path));
  auto opened = base::OpenBeneath(volume.get(), relative, O_PATH | O_CLOEXEC);
  if (!opened && opened.error().sys_errno == ENOENT) opened = MakeBeneath(volume, relative);
  if (!opened) return Wrap(std::move(opened).error(), "open subPath {} of {}", base::Quote(sub_path), volume_path);

  struct stat info{};
  if (::fstat(opened->get(), &info) != 0)
    return FailErrno(errno, "stat subPath {} of {}", base::Quote(sub_path), volume_path);
  // An earlier run's mount is replaced; its container holds its own copy.
  while (::umount2(bind_target.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) {
  }
  TRY(base::RemoveTree(bind_target));
  if (S_ISDIR(info.st_mode)) {
    TRY(base::MakeDirs(bind_target, 0750));
  } else {
    TRY(base::MakeDirs(bind_target.substr(0, bind_target.rfind('/')), 0750));
    TRY(MakeFile(bind_target));
  }
  std::string from = fmt::format("/proc/self/fd/{}", opened->get());
  if (::mount(from.c_str(), bind_target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return FailErrno(errno, "bind subPath {} of {} on {}", base::Quote(sub_path), volume_path, bind_target);
  }
  return bind_target;
}

}  // namespace portcullis::node
