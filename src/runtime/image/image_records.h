// The names of images on disk: one small JSON file per reference, so that a crash loses at most the name being written.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/image/store_files.h"

namespace portcullis::runtime {

struct ImageRecord {
  std::string reference;  // "docker.io/library/nginx:1.21" or "docker.io/library/nginx@sha256:…"
  std::string manifest_digest;
  std::string config_digest;

  bool IsDigestReference() const { return reference.find('@') != std::string::npos; }
};

// Sorted by reference. A file that is not a record, or cannot be read now, is reported in the log and skipped: it must
// not hide the other images.
Result<std::vector<ImageRecord>> ReadRecords(const StoreLayout& layout);
// As above, but what cannot be read now is an error: for those who delete what no record leads to.
Result<std::vector<ImageRecord>> ReadRecordsStrictly(const StoreLayout& layout);
Result<void> WriteRecord(const StoreLayout& layout, const ImageRecord& record);
Result<void> RemoveRecord(const StoreLayout& layout, const std::string& reference);

}  // namespace portcullis::runtime
