#include "runtime/image/archive.h"

#include "base/check.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kBlockSize = 64 * 1024;

ArchiveHandle NewHandle() {
  ArchiveHandle handle(archive_read_new());
  CHECK(handle != nullptr);
  return handle;
}

void AllowFilters(archive* a) {
  archive_read_support_filter_none(a);
  archive_read_support_filter_gzip(a);
  archive_read_support_filter_zstd(a);
}

Result<ArchiveHandle> OpenFd(ArchiveHandle handle, int fd, const std::string& name) {
  if (archive_read_open_fd(handle.get(), fd, kBlockSize) != ARCHIVE_OK)
    return ArchiveFailure(handle.get(), "open " + name);
  return handle;
}

}  // namespace

Failure ArchiveFailure(archive* a, const std::string& what) {
  const char* text = archive_error_string(a);
  return Fail(Code::kInvalidArgument, "{}: {}", what, text == nullptr ? "malformed archive" : text);
}

Result<ArchiveHandle> OpenTar(int fd, const std::string& name) {
  ArchiveHandle handle = NewHandle();
  AllowFilters(handle.get());
  archive_read_support_format_tar(handle.get());
  return OpenFd(std::move(handle), fd, name);
}

Result<ArchiveHandle> OpenDecompressor(int fd, const std::string& name) {
  ArchiveHandle handle = NewHandle();
  AllowFilters(handle.get());
  archive_read_support_format_raw(handle.get());
  return OpenFd(std::move(handle), fd, name);
}

ArchiveHandle NewPlainTarReader() {
  ArchiveHandle handle = NewHandle();
  archive_read_support_filter_none(handle.get());
  archive_read_support_format_tar(handle.get());
  return handle;
}

Utf8Locale::Utf8Locale()
    : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)),
      previous_(locale_ == nullptr ? nullptr : ::uselocale(locale_)) {}

Utf8Locale::~Utf8Locale() {
  if (locale_ == nullptr) return;
  ::uselocale(previous_);
  ::freelocale(locale_);
}

}  // namespace portcullis::runtime
