// Builds tar streams byte by byte, so that tests can write what no honest tar program would. For tests only.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <string>

#include "base/check.h"

namespace portcullis::runtime {

struct TarEntry {
  std::string name;
  char type = '0';  // '0' file, '1' hard link, '2' link, '3' char, '4' block, '5' folder, '6' fifo
  std::string content;
  std::string link;
  unsigned mode = 0644;
  unsigned uid = 0;
  unsigned gid = 0;
  int64_t mtime = 1'000'000'000;
  unsigned major = 0;
  unsigned minor = 0;
  std::map<std::string, std::string> pax;  // "path", "SCHILY.xattr.user.x", ...
};

class TarBuilder {
 public:
  TarBuilder& Add(const TarEntry& entry) {
    if (!entry.pax.empty()) {
      std::string records;
      for (const auto& [key, value] : entry.pax) records += PaxRecord(key, value);
      TarEntry header;
      header.name = "pax";
      header.type = 'x';
      header.content = records;
      Append(header);
    }
    Append(entry);
    return *this;
  }

  std::string Finish() const { return bytes_ + std::string(1024, '\0'); }

 private:
  static std::string PaxRecord(const std::string& key, const std::string& value) {
    const std::string body = " " + key + "=" + value + "\n";
    size_t length = body.size() + 1;
    while (std::to_string(length).size() + body.size() != length) ++length;
    return std::to_string(length) + body;
  }

  static void Octal(char* field, size_t width, uint64_t value) {
    for (size_t i = width - 1; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
  }

  void Append(const TarEntry& entry) {
    char header[512] = {};
    CHECK(entry.name.size() <= 100 && entry.link.size() <= 100);
    std::memcpy(header, entry.name.data(), entry.name.size());
    Octal(header + 100, 8, entry.mode);
    Octal(header + 108, 8, entry.uid);
    Octal(header + 116, 8, entry.gid);
    Octal(header + 124, 12, entry.content.size());
    Octal(header + 136, 12, static_cast<uint64_t>(entry.mtime));
    header[156] = entry.type;
    std::memcpy(header + 157, entry.link.data(), entry.link.size());
    std::memcpy(header + 257, "ustar\00000", 8);
    Octal(header + 329, 8, entry.major);
    Octal(header + 337, 8, entry.minor);
    std::memset(header + 148, ' ', 8);
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    Octal(header + 148, 7, sum);
    header[154] = '\0';
    bytes_.append(header, sizeof header);
    bytes_ += entry.content;
    bytes_.append((512 - entry.content.size() % 512) % 512, '\0');
  }

  std::string bytes_;
};

enum class Compression { kNone, kGzip, kZstd };

inline std::string Compress(const std::string& data, Compression how) {
  if (how == Compression::kNone) return data;
  std::string out(data.size() + 64 * 1024, '\0');
  size_t used = 0;
  archive* writer = archive_write_new();
  archive_write_set_format_raw(writer);
  if (how == Compression::kGzip) archive_write_add_filter_gzip(writer);
  if (how == Compression::kZstd) archive_write_add_filter_zstd(writer);
  archive_write_set_bytes_in_last_block(writer, 1);
  CHECK(archive_write_open_memory(writer, out.data(), out.size(), &used) == ARCHIVE_OK);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  CHECK(archive_write_header(writer, entry) == ARCHIVE_OK);
  CHECK(archive_write_data(writer, data.data(), data.size()) == static_cast<la_ssize_t>(data.size()));
  archive_entry_free(entry);
  CHECK(archive_write_close(writer) == ARCHIVE_OK);
  archive_write_free(writer);
  out.resize(used);
  return out;
}

}  // namespace portcullis::runtime
