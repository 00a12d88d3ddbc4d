#include "insight/evidence/compressed_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "base/clock.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "base/unique_fd.h"

namespace portcullis::insight {
namespace {

constexpr size_t kBlockBytes = 1u << 20;
constexpr std::chrono::milliseconds kBetweenReports{200};
constexpr char kBeside[] = ".new-";
constexpr size_t kRandomBytes = 4;

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
struct FreeWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

Failure ArchiveFailure(archive* handle, std::string_view verb, const std::string& path) {
  const char* text = archive_error_string(handle);
  const int number = archive_errno(handle);
  if (number == ENOSPC) return FailErrno(ENOSPC, "{} {}", verb, path);
  return Fail(number == ENOENT ? Code::kNotFound : Code::kUnknown, "{} {}: {}", verb, path,
              text != nullptr ? text : "unknown error");
}

Result<void> Write(const std::string& path, bool compress, const std::function<void(const TextSink&)>& make) {
  const std::unique_ptr<archive, FreeWriter> writer(archive_write_new());
  archive* handle = writer.get();
  archive_write_set_format_raw(handle);
  if (compress) archive_write_add_filter_gzip(handle);
  archive_write_set_bytes_in_last_block(handle, 1);
  const int opened = archive_write_open_filename(handle, path == "-" ? nullptr : path.c_str());
  if (opened != ARCHIVE_OK) return ArchiveFailure(handle, "write", path);
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  archive_entry_set_filetype(entry.get(), S_IFREG);
  if (archive_write_header(handle, entry.get()) != ARCHIVE_OK) return ArchiveFailure(handle, "write", path);
  bool good = true;
  make([&](std::string_view text) {
    good = good && archive_write_data(handle, text.data(), text.size()) == static_cast<la_ssize_t>(text.size());
  });
  if (!good || archive_write_close(handle) != ARCHIVE_OK) return ArchiveFailure(handle, "write", path);
  return {};
}

}  // namespace

Result<void> ReadCompressed(const std::string& path, const std::function<Result<void>(std::string_view)>& take,
                            const std::function<void(uint64_t)>& progress) {
  const std::unique_ptr<archive, FreeReader> reader(archive_read_new());
  archive* handle = reader.get();
  archive_read_support_filter_all(handle);
  archive_read_support_format_raw(handle);
  archive_read_support_format_empty(handle);
  const bool standard_input = path == "-";
  struct stat info{};
  if (!standard_input) {
    if (::stat(path.c_str(), &info) != 0) return FailErrno(errno, "read {}", path);
    if (S_ISDIR(info.st_mode)) return Fail(Code::kInvalidArgument, "read {}: is a folder", path);
  }
  if (archive_read_open_filename(handle, standard_input ? nullptr : path.c_str(), kBlockBytes) != ARCHIVE_OK) {
    return ArchiveFailure(handle, "read", path);
  }
  archive_entry* entry = nullptr;
  const int first = archive_read_next_header(handle, &entry);
  if (first == ARCHIVE_EOF) return {};
  if (first < ARCHIVE_WARN) return ArchiveFailure(handle, "read", path);
  auto reported = base::Now();
  for (;;) {
    const void* data = nullptr;
    size_t size = 0;
    la_int64_t offset = 0;
    const int got = archive_read_data_block(handle, &data, &size, &offset);
    if (got == ARCHIVE_EOF) return {};
    if (got < ARCHIVE_WARN) return ArchiveFailure(handle, "read", path);
    TRY(take({static_cast<const char*>(data), size}));
    if (progress && base::Now() - reported >= kBetweenReports) {
      reported = base::Now();
      progress(static_cast<uint64_t>(archive_filter_bytes(handle, -1)));
    }
  }
}

Result<void> WriteCompressed(const std::string& path, const std::function<void(const TextSink&)>& make) {
  if (path == "-") return Write(path, false, make);
  const std::string beside = path + kBeside + base::RandomHex(kRandomBytes);
  if (auto written = Write(beside, path.ends_with(".gz"), make); !written) {
    ::unlink(beside.c_str());
    return written;
  }
  // On the disk before it has the name, so that a crash of the machine leaves the old file or the new one.
  if (const base::UniqueFd written(::open(beside.c_str(), O_RDONLY | O_CLOEXEC)); written.valid()) {
    (void)::fsync(written.get());
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(beside.c_str());
    return FailErrno(error, "rename {} to {}", beside, path);
  }
  return {};
}

void RemoveHalfWritten(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string begin = path.substr(slash + 1) + kBeside;
  const auto names = base::ListDir(folder);
  if (!names) return;
  for (const std::string& name : *names) {
    if (!name.starts_with(begin) || name.size() != begin.size() + 2 * kRandomBytes) continue;
    ::unlink((folder + "/" + name).c_str());
  }
}

}  // namespace portcullis::insight
