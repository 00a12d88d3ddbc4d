#include "runtime/image/image_archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/image/archive.h"

namespace portcullis::runtime {
namespace {

constexpr int kMaxEntries = 100'000;
constexpr int kMaxLinkHops = 8;

Result<StagedFile> CopyEntry(archive* reader, StagingWriter writer, int64_t& left, const std::string& what) {
  std::array<char, 64 * 1024> chunk{};
  while (true) {
    const la_ssize_t n = archive_read_data(reader, chunk.data(), chunk.size());
    if (n < 0) return ArchiveFailure(reader, "read " + what);
    if (n == 0) return writer.Finish();
    left -= n;
    if (left < 0) return Fail(Code::kResourceExhausted, "read {}: the archive is larger than allowed", what);
    TRY(writer.Write({chunk.data(), static_cast<size_t>(n)}));
  }
}

Result<StagedFile> CopyFd(int fd, StagingWriter writer, const std::string& what) {
  std::array<char, 64 * 1024> chunk{};
  while (true) {
    const ssize_t n = ::read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(errno, "read {}", what);
    if (n == 0) return writer.Finish();
    TRY(writer.Write({chunk.data(), static_cast<size_t>(n)}));
  }
}

// Digests a file where it lies.
Result<StagedFile> DigestFd(int fd, const std::string& what) {
  std::array<char, 64 * 1024> chunk{};
  Sha256 sha;
  StagedFile out;
  while (true) {
    const ssize_t n = ::read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FailErrno(errno, "read {}", what);
    if (n == 0) break;
    sha.Update({chunk.data(), static_cast<size_t>(n)});
    out.size += n;
  }
  out.digest = sha.Finish();
  return out;
}

// The entry's place in the archive: "./a//b" -> "a/b"; "" for what leads out of it.
std::string Inside(std::string_view path) {
  std::string clean = base::CleanPath(path);
  clean.erase(0, clean.find_first_not_of('/'));
  return clean == "." || clean == ".." || clean.starts_with("../") ? "" : clean;
}

}  // namespace

Result<ImageArchive> ImageArchive::Open(const std::string& path, const std::string& scratch_dir, int64_t max_bytes) {
  ImageArchive result(path, scratch_dir);
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return FailErrno(errno, "open image archive {}", path);
  if (S_ISDIR(info.st_mode)) {
    ASSIGN_OR_RETURN(result.folder_, base::OpenDir(path));
    return result;
  }
  TRY(result.ReadTar(max_bytes));
  return result;
}

Result<void> ImageArchive::ReadTar(int64_t max_bytes) {
  const Utf8Locale utf8;
  const std::string what = "image archive " + name_;
  const base::UniqueFd fd(::open(name_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return FailErrno(errno, "open {}", what);
  ASSIGN_OR_RETURN(ArchiveHandle reader, OpenTar(fd.get(), what));
  archive_entry* entry = nullptr;
  int64_t left = max_bytes;
  for (int count = 0;; ++count) {
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return {};
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return ArchiveFailure(reader.get(), "read " + what);
    if (count >= kMaxEntries) return Fail(Code::kResourceExhausted, "read {}: more than {} entries", what, kMaxEntries);
    const char* raw = archive_entry_pathname(entry);
    const std::string path = raw == nullptr ? "" : Inside(raw);
    if (path.empty()) continue;
    if (const char* target = archive_entry_hardlink(entry)) {
      links_[path] = Inside(target);
    } else if (archive_entry_filetype(entry) == AE_IFLNK) {
      const char* link = archive_entry_symlink(entry);
      if (link != nullptr) links_[path] = Inside(path + "/../" + link);
    } else if (archive_entry_filetype(entry) == AE_IFREG) {
      ASSIGN_OR_RETURN(StagingWriter writer, StagingWriter::Create(NextScratchPath()));
      ASSIGN_OR_RETURN(files_[path], CopyEntry(reader.get(), std::move(writer), left, what));
    }
  }
}

Result<std::string> ImageArchive::Follow(std::string path) const {
  for (int hop = 0; hop < kMaxLinkHops; ++hop) {
    if (files_.contains(path)) return path;
    const auto it = links_.find(path);
    if (it == links_.end()) break;
    path = it->second;
  }
  return Fail(Code::kNotFound, "image archive {}: has no file {}", name_, base::Quote(path));
}

bool ImageArchive::Has(const std::string& path) const {
  if (folder_.valid()) return base::OpenBeneath(folder_.get(), path, O_PATH).has_value();
  return Follow(path).has_value();
}

Result<std::string> ImageArchive::Read(const std::string& path, size_t max_bytes) const {
  const std::string what = fmt::format("{} of image archive {}", path, name_);
  if (folder_.valid()) {
    auto fd = base::OpenBeneath(folder_.get(), path, O_RDONLY | O_NONBLOCK);
    if (!fd) return Wrap(std::move(fd).error(), "image archive {}", name_);
    return base::ReadFd(fd->get(), max_bytes, what);
  }
  ASSIGN_OR_RETURN(const std::string real, Follow(path));
  const StagedFile& file = files_.at(real);
  if (file.size > static_cast<int64_t>(max_bytes)) {
    return Fail(Code::kResourceExhausted, "read {}: longer than the limit of {} bytes", what, max_bytes);
  }
  return base::ReadFile(file.path, max_bytes);
}

Result<StagedFile> ImageArchive::Stage(const std::string& path) {
  if (!folder_.valid()) {
    ASSIGN_OR_RETURN(const std::string real, Follow(path));
    return files_.at(real);
  }
  const std::string what = fmt::format("{} of image archive {}", path, name_);
  auto fd = base::OpenBeneath(folder_.get(), path, O_RDONLY | O_NONBLOCK);
  if (!fd) return Wrap(std::move(fd).error(), "image archive {}", name_);
  struct stat info{};
  if (::fstat(fd->get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return Fail(Code::kInvalidArgument, "{}: is not a regular file", what);
  }
  if (consume_) {
    ASSIGN_OR_RETURN(StagedFile file, DigestFd(fd->get(), what));
    file.path = NextScratchPath();
    if (::renameat(folder_.get(), path.c_str(), AT_FDCWD, file.path.c_str()) == 0) return file;
    if (errno != EXDEV) return FailErrno(errno, "move {} to {}", what, file.path);
    if (::lseek(fd->get(), 0, SEEK_SET) != 0) return FailErrno(errno, "read {}", what);
  }
  ASSIGN_OR_RETURN(StagingWriter writer, StagingWriter::Create(NextScratchPath()));
  return CopyFd(fd->get(), std::move(writer), what);
}

}  // namespace portcullis::runtime
