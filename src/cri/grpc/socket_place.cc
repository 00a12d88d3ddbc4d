#include "cri/grpc/socket_place.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/files.h"
#include "base/try.h"

namespace portcullis::cri {
namespace {

constexpr const char* kName = "s";  // within the folder

Result<void> CheckFree(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) return Fail(Code::kFailedPrecondition, "listen on {}: exists and is not a socket", path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const base::UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) return FailErrno(errno, "listen on {}: make a socket", path);
  const bool connected = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (connected || errno == EAGAIN) {  // EAGAIN: somebody listens who is behind with accepting
    return Fail(Code::kFailedPrecondition, "listen on {}: another server answers there", path);
  }
  if (errno != ECONNREFUSED && errno != ENOENT) return FailErrno(errno, "listen on {}: ask who is there", path);
  return {};
}

}  // namespace

Result<std::unique_ptr<SocketPlace>> SocketPlace::Prepare(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Fail(Code::kInvalidArgument, "listen on {}: a socket path may have {} bytes at most", path,
                sizeof(sockaddr_un::sun_path) - 1);
  }
  TRY(CheckFree(path));
  std::string folder = path.substr(0, path.rfind('/') + 1) + ".listen-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return FailErrno(errno, "listen on {}: make a folder beside it", path);
  auto dir = base::OpenDir(folder);
  if (!dir) {
    ::rmdir(folder.c_str());
    return Failure(dir.error());
  }
  return std::unique_ptr<SocketPlace>(new SocketPlace(path, std::move(folder), std::move(*dir)));
}

SocketPlace::SocketPlace(std::string path, std::string folder, base::UniqueFd dir)
    : path_(std::move(path)), folder_(std::move(folder)), dir_(std::move(dir)) {}

SocketPlace::~SocketPlace() { Remove(); }

std::string SocketPlace::address() const { return fmt::format("unix:/proc/self/fd/{}/{}", dir_.get(), kName); }

Result<void> SocketPlace::Publish(mode_t mode) {
  struct stat info{};
  if (::fchmodat(dir_.get(), kName, mode, 0) != 0 || ::fstatat(dir_.get(), kName, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return FailErrno(errno, "listen on {}: set the socket's mode", path_);
  }
  if (::renameat(dir_.get(), kName, AT_FDCWD, path_.c_str()) != 0) {
    return FailErrno(errno, "listen on {}: rename the socket to it", path_);
  }
  published_ = true;
  device_ = info.st_dev;
  inode_ = info.st_ino;
  ::rmdir(folder_.c_str());
  folder_.clear();
  return {};
}

void SocketPlace::Remove() {
  if (!folder_.empty()) {
    ::unlinkat(dir_.get(), kName, 0);
    ::rmdir(folder_.c_str());
    folder_.clear();
  }
  struct stat info{};
  if (published_ && ::lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
  published_ = false;
}

}  // namespace portcullis::cri
