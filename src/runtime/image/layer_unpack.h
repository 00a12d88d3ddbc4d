// One compressed layer into one folder, verified and bounded.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/image/image_store.h"

namespace portcullis::runtime {

struct LayerSource {
  std::string blob_path;  // tar, plain or gzip or zstd
  std::string diff_id;    // digest of the uncompressed stream; another one is kDataLoss
};

// `target` is an empty folder; on an error it holds whatever was written, for the caller to throw away. `lower_roots`:
// newest first.
Result<void> UnpackLayer(const LayerSource& source, const std::string& target,
                         const std::vector<std::string>& lower_roots, const LayerLimits& limits);

}  // namespace portcullis::runtime
