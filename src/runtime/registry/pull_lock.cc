#include "runtime/registry/pull_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>

#include "base/files.h"
#include "base/try.h"
#include "runtime/registry/wait.h"

namespace portcullis::runtime {
namespace {

constexpr std::chrono::milliseconds kAskAgain{50};

// Locks what `open` gives, and opens it again when the holder before removed it meanwhile.
Result<base::UniqueFd> LockWhatIsThere(const std::string& path, const std::stop_token& stop,
                                       const std::function<Result<base::UniqueFd>()>& open) {
  for (;;) {
    auto fd = open();
    if (!fd) return fd;
    // Not a blocking flock, which nothing could end.
    while (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) return FailErrno(errno, "lock {}", path);
      TRY(SleepFor(kAskAgain, stop));
    }
    struct stat held{};
    struct stat there{};
    if (::fstat(fd->get(), &held) == 0 && ::stat(path.c_str(), &there) == 0 && held.st_ino == there.st_ino) return fd;
  }
}

}  // namespace

Result<base::UniqueFd> LockFolder(const std::string& path, const std::stop_token& stop) {
  return LockWhatIsThere(path, stop, [&path]() -> Result<base::UniqueFd> {
    for (;;) {
      TRY(base::MakeDirs(path, 0700));
      auto fd = base::OpenDir(path);
      if (fd || fd.error().sys_errno != ENOENT) return fd;
    }
  });
}

Result<LockFile> LockFile::Take(const std::string& path, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(base::UniqueFd fd, LockWhatIsThere(path, stop, [&path]() -> Result<base::UniqueFd> {
                     base::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
                     if (!file.valid()) return FailErrno(errno, "create {}", path);
                     return file;
                   }));
  return LockFile(path, std::move(fd));
}

LockFile::~LockFile() {
  if (fd_.valid()) ::unlink(path_.c_str());
}

}  // namespace portcullis::runtime
