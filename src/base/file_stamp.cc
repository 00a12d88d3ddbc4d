#include "base/file_stamp.h"

#include <sys/stat.h>

namespace portcullis::base {

FileStamp StampOf(const struct stat& info) {
  const auto nanos = [](const timespec& time) { return time.tv_sec * int64_t{1'000'000'000} + time.tv_nsec; };
  return {info.st_dev, info.st_ino, info.st_size, nanos(info.st_mtim), nanos(info.st_ctim)};
}

FileStamp StampOf(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? StampOf(info) : FileStamp{};
}

}  // namespace portcullis::base
