// What a snapshot stands on, kept in <state>/snapshots/<id>/snapshot.json: mounting it again, and keeping its layers,
// need no image.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/image/store_files.h"

namespace portcullis::runtime {

struct SnapshotRecord {
  std::string image_id;
  std::vector<std::string> chain_ids;  // oldest first
};

// kNotFound when there is no (whole) snapshot of that id.
Result<SnapshotRecord> ReadSnapshotRecord(const StoreLayout& layout, const std::string& id);
Result<void> WriteSnapshotRecord(const StoreLayout& layout, const std::string& id, const SnapshotRecord& record);

}  // namespace portcullis::runtime
