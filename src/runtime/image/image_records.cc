#include "runtime/image/image_records.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "spec/oci/digest.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxRecordBytes = 16 * 1024;

std::string RecordPath(const StoreLayout& layout, const std::string& reference) {
  return layout.Records() + "/" + base::Sha256Hex(reference) + ".json";
}

Result<std::string> Field(const nlohmann::json& json, const char* key, const std::string& path) {
  if (const auto it = json.find(key); it != json.end() && it->is_string()) return it->get<std::string>();
  return Fail(Code::kDataLoss, "image record {}: {} is missing", path, key);
}

Result<ImageRecord> ReadRecord(const std::string& path) {
  ASSIGN_OR_RETURN(std::string text, base::ReadFile(path, kMaxRecordBytes));
  ASSIGN_OR_RETURN(nlohmann::json json, base::ParseJson(text, path));
  ImageRecord record;
  ASSIGN_OR_RETURN(record.reference, Field(json, "reference", path));
  ASSIGN_OR_RETURN(record.manifest_digest, Field(json, "manifestDigest", path));
  ASSIGN_OR_RETURN(record.config_digest, Field(json, "configDigest", path));
  TRY(oci::CheckDigest(record.manifest_digest, path));
  TRY(oci::CheckDigest(record.config_digest, path));
  return record;
}

Result<std::vector<ImageRecord>> Read(const StoreLayout& layout, bool strictly) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, base::ListDir(layout.Records()));
  std::vector<ImageRecord> records;
  for (const std::string& name : names) {
    if (!name.ends_with(".json")) continue;
    auto record = ReadRecord(layout.Records() + "/" + name);
    if (record) {
      records.push_back(std::move(*record));
    } else if (record.error().sys_errno != ENOENT) {  // removed since the listing
      // Content that is no record leads nowhere; content that could not be read may lead to anything.
      if (strictly && record.error().sys_errno != 0) return Failure(std::move(record).error());
      base::LogWarning("image record skipped", {{"error", record.error().message}});
    }
  }
  std::ranges::sort(records, {}, &ImageRecord::reference);
  return records;
}

}  // namespace

Result<std::vector<ImageRecord>> ReadRecords(const StoreLayout& layout) { return Read(layout, /*strictly=*/false); }

Result<std::vector<ImageRecord>> ReadRecordsStrictly(const StoreLayout& layout) {
  return Read(layout, /*strictly=*/true);
}

Result<void> WriteRecord(const StoreLayout& layout, const ImageRecord& record) {
  const nlohmann::json json{{"reference", record.reference},
                            {"manifestDigest", record.manifest_digest},
                            {"configDigest", record.config_digest}};
  return base::WriteFileAtomic(RecordPath(layout, record.reference), json.dump(2) + "\n", 0600);
}

Result<void> RemoveRecord(const StoreLayout& layout, const std::string& reference) {
  const std::string path = RecordPath(layout, reference);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FailErrno(errno, "remove {}", path);
  return SyncDir(layout.Records());
}

}  // namespace portcullis::runtime
