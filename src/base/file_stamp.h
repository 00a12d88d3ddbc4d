// Whether a file is still the one that was read.
//
//   const FileStamp before = StampOf(path);
//   ...
//   if (StampOf(path) != before) ...
#pragma once

#include <cstdint>
#include <string>

struct stat;

namespace portcullis::base {

// What stat said about a file; equal stamps mean unchanged content.
struct FileStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t modified_nanos = 0;
  int64_t changed_nanos = 0;
  bool operator==(const FileStamp&) const = default;
};

FileStamp StampOf(const struct stat& info);
// Of what a path leads to, links followed; all zero when there is nothing.
FileStamp StampOf(const std::string& path);

}  // namespace portcullis::base
