#include "runtime/service/shm.h"

#include <sys/mount.h>
#include <unistd.h>

#include "base/files.h"
#include "base/try.h"

namespace portcullis::runtime {

Result<void> MountShm(const std::string& path) {
  TRY(base::MakeDirs(path, 0700));
  if (::mount("shm", path.c_str(), "tmpfs", MS_NOEXEC | MS_NOSUID | MS_NODEV, "mode=1777,size=65536k") != 0) {
    return FailErrno(errno, "mount tmpfs on {}", path);
  }
  return {};
}

Result<void> UnmountShm(const std::string& path) {
  // EINVAL: not a mount point. Several, after a crash between two starts, are all taken away.
  while (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
  if (errno != EINVAL && errno != ENOENT) return FailErrno(errno, "unmount {}", path);
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return FailErrno(errno, "remove {}", path);
  return {};
}

}  // namespace portcullis::runtime
