#include "runtime/network/netns.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/vfs.h>

#include <cstring>

#include "base/files.h"
#include "base/strings.h"
#include "base/thread.h"
#include "base/try.h"
#include "base/unique_fd.h"

namespace portcullis::runtime {
namespace {

Result<void> CheckName(const std::string& name) {
  if (name.empty() || name.size() > 255 || name.front() == '.' || name.find('/') != std::string::npos) {
    return Fail(Code::kInvalidArgument, "network namespace name {} is not a file name", base::Quote(name));
  }
  return {};
}

Result<void> BringLoopbackUp() {
  const base::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return FailErrno(errno, "open a socket in the new network namespace");
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  if (::ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0) return FailErrno(errno, "read the flags of interface lo");
  request.ifr_flags |= IFF_UP | IFF_RUNNING;
  if (::ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) return FailErrno(errno, "bring interface lo up");
  return {};
}

// Runs in a thread of its own, which the new namespace leaves with: unshare(2) affects the calling thread only.
Result<void> MakeNamespaceAt(const std::string& path) {
  if (::unshare(CLONE_NEWNET) != 0) return FailErrno(errno, "create a network namespace");
  TRY(BringLoopbackUp());
  if (::mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return FailErrno(errno, "bind the network namespace to {}", path);
  }
  return {};
}

Result<void> UnmountAndUnlink(const std::string& path) {
  if (::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT) {
    return FailErrno(errno, "unmount network namespace {}", path);
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FailErrno(errno, "remove network namespace {}", path);
  return {};
}

}  // namespace

bool IsNetworkNamespace(const std::string& path) {
  struct statfs info{};
  return ::statfs(path.c_str(), &info) == 0 && info.f_type == NSFS_MAGIC;
}

std::string NetnsStore::PathOf(const std::string& name) const { return dir_ + "/" + name; }

bool NetnsStore::Exists(const std::string& name) const { return IsNetworkNamespace(PathOf(name)); }

Result<std::string> NetnsStore::Create(const std::string& name) {
  TRY(CheckName(name));
  if (Exists(name)) return Fail(Code::kAlreadyExists, "network namespace {} already exists", name);
  TRY(base::MakeDirs(dir_));
  std::string path = PathOf(name);
  {
    const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0444));
    if (!file.valid()) return FailErrno(errno, "create {}", path);
  }
  Result<void> made;
  auto inside = base::StartThread("create a network namespace", [&] { made = MakeNamespaceAt(path); });
  if (inside) {
    inside->join();
  } else {
    made = Failure(std::move(inside).error());
  }
  if (made) return path;
  TRY(UnmountAndUnlink(path));
  return Failure(std::move(made).error());
}

Result<void> NetnsStore::Delete(const std::string& name) {
  TRY(CheckName(name));
  return UnmountAndUnlink(PathOf(name));
}

Result<std::vector<std::string>> NetnsStore::List() const {
  auto names = base::ListDir(dir_);
  if (!names && names.error().sys_errno == ENOENT) return std::vector<std::string>();
  return names;
}

}  // namespace portcullis::runtime
