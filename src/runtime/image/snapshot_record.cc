#include "runtime/image/snapshot_record.h"

#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/files.h"
#include "base/try.h"
#include "spec/oci/digest.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxRecordBytes = 256 * 1024;

std::string RecordPath(const StoreLayout& layout, const std::string& id) {
  return layout.Snapshots() + "/" + id + "/snapshot.json";
}

}  // namespace

Result<SnapshotRecord> ReadSnapshotRecord(const StoreLayout& layout, const std::string& id) {
  const std::string path = RecordPath(layout, id);
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxRecordBytes));
  ASSIGN_OR_RETURN(const nlohmann::json json, base::ParseJson(text, path));
  SnapshotRecord record;
  const auto image = json.find("imageId");
  const auto layers = json.find("layers");
  if (image == json.end() || !image->is_string() || layers == json.end() || !layers->is_array()) {
    return Fail(Code::kDataLoss, "snapshot record {}: imageId or layers is missing", path);
  }
  record.image_id = image->get<std::string>();
  for (const nlohmann::json& layer : *layers) {
    if (!layer.is_string()) return Fail(Code::kDataLoss, "snapshot record {}: a layer is not a digest", path);
    record.chain_ids.push_back(layer.get<std::string>());
    TRY(oci::CheckDigest(record.chain_ids.back(), path));
  }
  return record;
}

Result<void> WriteSnapshotRecord(const StoreLayout& layout, const std::string& id, const SnapshotRecord& record) {
  const nlohmann::json json{{"imageId", record.image_id}, {"layers", record.chain_ids}};
  return base::WriteFileAtomic(RecordPath(layout, id), json.dump(2) + "\n", 0600);
}

}  // namespace portcullis::runtime
