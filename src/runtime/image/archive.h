// libarchive's read side as an owned handle. Only what images use is switched on: tar, and gzip, zstd or no
// compression.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace portcullis::runtime {

struct FreeArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};
using ArchiveHandle = std::unique_ptr<archive, FreeArchive>;

// Reads tar through a decompressor, from an open descriptor (which must outlive the handle).
Result<ArchiveHandle> OpenTar(int fd, const std::string& name);
// Decompresses only: one entry whose data is the plain stream.
Result<ArchiveHandle> OpenDecompressor(int fd, const std::string& name);
// A tar reader without any filter and source, for archive_read_open.
ArchiveHandle NewPlainTarReader();

// "read layer.tar: truncated input"
Failure ArchiveFailure(archive* a, const std::string& what);

// While alive, this thread's character set is UTF-8: libarchive converts names to the locale's, and drops those that do
// not fit.
class Utf8Locale {
 public:
  Utf8Locale();
  ~Utf8Locale();
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t locale_;
  locale_t previous_;
};

}  // namespace portcullis::runtime
