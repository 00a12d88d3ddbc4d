// From an archive to blobs and unpacked layers in the store; the names come last, from the caller.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/image/image_archive.h"
#include "runtime/image/image_records.h"
#include "runtime/image/image_store.h"
#include "runtime/image/store_files.h"

namespace portcullis::runtime {

// An image an archive offers, before it is stored.
struct ArchivedImage {
  std::vector<std::string> tags;  // normal form, "docker.io/library/nginx:1.21"
  std::string digest;             // what `name@digest` will say: of the manifest, or of the index it was chosen from
  std::string manifest;           // raw bytes
  std::string manifest_digest;
  std::map<std::string, std::string> paths;  // digest -> path in the archive, where that is not blobs/sha256/<hex>
};

// The archive's images for this host's platform. Verifies the digests of the documents it reads.
Result<std::vector<ArchivedImage>> FindImages(ImageArchive& archive);

// Stores blobs, unpacks layers. The store's lock must be held exclusively. Returns the records to write.
Result<std::vector<ImageRecord>> StoreImage(ImageArchive& archive, const ArchivedImage& image,
                                            const StoreLayout& layout, const LayerLimits& limits,
                                            const LoadOptions& options);

}  // namespace portcullis::runtime
