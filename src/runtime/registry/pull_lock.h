// flock(2) on a name below the folder of pulls: over all processes, gone when its holder dies.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace portcullis::runtime {

// Makes and locks a folder; waits for its holder, who may remove it before letting go. kCancelled when stopped.
Result<base::UniqueFd> LockFolder(const std::string& path, const std::stop_token& stop);

// A lock file that is removed when it is let go.
class LockFile {
 public:
  static Result<LockFile> Take(const std::string& path, const std::stop_token& stop);
  LockFile(LockFile&& other) noexcept = default;
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

 private:
  LockFile(std::string path, base::UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  base::UniqueFd fd_;
};

}  // namespace portcullis::runtime
