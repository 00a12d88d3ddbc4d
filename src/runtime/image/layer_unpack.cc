#include "runtime/image/layer_unpack.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>

#include "base/strings.h"
#include "base/try.h"
#include "runtime/image/archive.h"
#include "runtime/image/layer_writer.h"
#include "runtime/image/sha256.h"

namespace portcullis::runtime {
namespace {

// The uncompressed bytes of a layer on their way into the tar reader, digested and counted.
class PlainStream {
 public:
  PlainStream(ArchiveHandle decompressor, int64_t max_bytes)
      : decompressor_(std::move(decompressor)), left_(max_bytes) {}

  static la_ssize_t Read(archive* reader, void* self, const void** buffer) {
    return static_cast<PlainStream*>(self)->Next(reader, buffer);
  }

  // Digest of everything, with what follows the archive's end mark (padding).
  Result<std::string> Finish(const std::string& name) {
    const void* ignored = nullptr;
    while (true) {
      const la_ssize_t n = Next(nullptr, &ignored);
      if (n == 0) return sha_.Finish();
      if (n < 0) return Fail(Code::kInvalidArgument, "read {}: {}", name, error_);
    }
  }

 private:
  la_ssize_t Next(archive* reader, const void** buffer) {
    const la_ssize_t n = archive_read_data(decompressor_.get(), chunk_.data(), chunk_.size());
    if (n < 0) {
      const char* text = archive_error_string(decompressor_.get());
      return Stop(reader, text == nullptr ? "decompression failed" : text);
    }
    left_ -= n;
    if (left_ < 0) return Stop(reader, "larger than the limit of a layer's uncompressed size");
    sha_.Update(std::span(chunk_.data(), static_cast<size_t>(n)));
    *buffer = chunk_.data();
    return n;
  }

  la_ssize_t Stop(archive* reader, std::string why) {
    error_ = std::move(why);
    if (reader != nullptr) archive_set_error(reader, EIO, "%s", error_.c_str());
    return -1;
  }

  ArchiveHandle decompressor_;
  int64_t left_;
  Sha256 sha_;
  std::string error_;
  std::array<char, 64 * 1024> chunk_{};
};

EntryMeta MetaOf(archive_entry* entry) {
  EntryMeta meta{.mode = archive_entry_perm(entry),
                 .uid = static_cast<uid_t>(archive_entry_uid(entry)),
                 .gid = static_cast<gid_t>(archive_entry_gid(entry)),
                 .mtime = {.tv_sec = archive_entry_mtime(entry), .tv_nsec = archive_entry_mtime_nsec(entry)},
                 .xattrs = {}};
  archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    if (name != nullptr) meta.xattrs.emplace_back(name, std::string(static_cast<const char*>(value), size));
  }
  return meta;
}

class Unpacker {
 public:
  Unpacker(archive* reader, LayerWriter& writer, const LayerLimits& limits, std::string name)
      : reader_(reader), writer_(writer), limits_(limits), name_(std::move(name)) {}

  Result<void> Run() {
    archive_entry* entry = nullptr;
    for (int64_t count = 0;; ++count) {
      const int status = archive_read_next_header(reader_, &entry);
      if (status == ARCHIVE_EOF) return writer_.Finish();
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return ArchiveFailure(reader_, "read " + name_);
      if (count >= limits_.max_entries) {
        return Fail(Code::kResourceExhausted, "read {}: more than {} entries", name_, limits_.max_entries);
      }
      TRY(Add(entry));
    }
  }

 private:
  Result<void> Add(archive_entry* entry) {
    const char* raw_path = archive_entry_pathname(entry);
    if (raw_path == nullptr) return Fail(Code::kInvalidArgument, "read {}: an entry's name is not UTF-8", name_);
    const std::string path = raw_path;
    ASSIGN_OR_RETURN(const bool whiteout, writer_.ApplyWhiteout(path));
    if (whiteout) return {};
    // Some writers repeat the content with a hard link; the reader skips it, the link's target has it already.
    if (const char* target = archive_entry_hardlink(entry)) return writer_.AddHardLink(path, target);
    const EntryMeta meta = MetaOf(entry);
    switch (archive_entry_filetype(entry)) {
      case AE_IFREG:
        return AddFile(entry, path, meta);
      case AE_IFDIR:
        return writer_.AddDirectory(path, meta);
      case AE_IFLNK: {
        const char* target = archive_entry_symlink(entry);
        if (target == nullptr || *target == '\0') {
          return Fail(Code::kInvalidArgument, "layer entry {}: a link without target", base::Quote(path));
        }
        return writer_.AddSymlink(path, target, meta);
      }
      case AE_IFCHR:
        return writer_.AddNode(path, S_IFCHR, DeviceOf(entry), meta);
      case AE_IFBLK:
        return writer_.AddNode(path, S_IFBLK, DeviceOf(entry), meta);
      case AE_IFIFO:
        return writer_.AddNode(path, S_IFIFO, 0, meta);
      default:
        return Fail(Code::kInvalidArgument, "layer entry {}: type {:#o} has no place in an image", base::Quote(path),
                    static_cast<unsigned>(archive_entry_filetype(entry)));
    }
  }

  static dev_t DeviceOf(archive_entry* entry) {
    return makedev(static_cast<unsigned>(archive_entry_rdevmajor(entry)),
                   static_cast<unsigned>(archive_entry_rdevminor(entry)));
  }

  Result<void> AddFile(archive_entry* entry, const std::string& path, const EntryMeta& meta) {
    // Sparse entries can announce far more than they carry; the announced size counts.
    announced_ += std::max<int64_t>(archive_entry_size(entry), 0);
    if (archive_entry_size(entry) > limits_.max_bytes || announced_ > limits_.max_bytes) {
      return Fail(Code::kResourceExhausted, "layer entry {}: the layer's files exceed {} bytes", base::Quote(path),
                  limits_.max_bytes);
    }
    ASSIGN_OR_RETURN(base::UniqueFd fd, writer_.AddFile(path));
    TRY(CopyData(fd.get(), path, archive_entry_size(entry)));
    return writer_.FinishFile(fd.get(), path, meta);
  }

  Result<void> CopyData(int fd, const std::string& path, int64_t size) {
    const void* block = nullptr;
    size_t length = 0;
    la_int64_t offset = 0;
    int64_t end = 0;
    while (true) {
      const int status = archive_read_data_block(reader_, &block, &length, &offset);
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
        return ArchiveFailure(reader_, "read " + path + " of " + name_);
      if (offset < 0 || offset > size || static_cast<int64_t>(length) > size - offset) {
        return Fail(Code::kInvalidArgument, "layer entry {}: data beyond its size", base::Quote(path));
      }
      TRY(WriteAt(fd, {static_cast<const char*>(block), length}, offset, path));
      end = std::max(end, offset + static_cast<int64_t>(length));
    }
    if (end < size && ::ftruncate(fd, size) != 0) return FailErrno(errno, "layer entry {}: extend", base::Quote(path));
    return {};
  }

  static Result<void> WriteAt(int fd, std::string_view data, off_t offset, const std::string& path) {
    while (!data.empty()) {
      const ssize_t n = ::pwrite(fd, data.data(), data.size(), offset);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return FailErrno(errno, "layer entry {}: write", base::Quote(path));
      data.remove_prefix(static_cast<size_t>(n));
      offset += n;
    }
    return {};
  }

  archive* reader_;
  LayerWriter& writer_;
  const LayerLimits& limits_;
  std::string name_;
  int64_t announced_ = 0;
};

}  // namespace

Result<void> UnpackLayer(const LayerSource& source, const std::string& target,
                         const std::vector<std::string>& lower_roots, const LayerLimits& limits) {
  const Utf8Locale utf8;
  const std::string name = "layer " + source.blob_path;
  const base::UniqueFd blob(::open(source.blob_path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!blob.valid()) return FailErrno(errno, "open {}", name);
  ASSIGN_OR_RETURN(ArchiveHandle decompressor, OpenDecompressor(blob.get(), name));
  archive_entry* whole = nullptr;
  if (archive_read_next_header(decompressor.get(), &whole) != ARCHIVE_OK)
    return ArchiveFailure(decompressor.get(), "read " + name);
  PlainStream stream(std::move(decompressor), limits.max_bytes);

  ArchiveHandle reader = NewPlainTarReader();
  if (archive_read_open(reader.get(), &stream, nullptr, &PlainStream::Read, nullptr) != ARCHIVE_OK) {
    return ArchiveFailure(reader.get(), "read " + name);
  }
  ASSIGN_OR_RETURN(LayerWriter writer, LayerWriter::Open(target, lower_roots, limits.max_depth));
  TRY(Unpacker(reader.get(), writer, limits, name).Run());
  ASSIGN_OR_RETURN(const std::string digest, stream.Finish(name));
  if (digest != source.diff_id) {
    return Fail(Code::kDataLoss, "{}: its uncompressed content has digest {}, the image config says {}", name, digest,
                source.diff_id);
  }
  return {};
}

}  // namespace portcullis::runtime
