// Images of this node: content-addressed blobs, unpacked layers, and the names that lead to them.
//
//   ASSIGN_OR_RETURN(auto store, ImageStore::Open({.state_dir = "/var/lib/portcullis", .pinned =
//   {"registry.k8s.io/pause:3.10"}})); ASSIGN_OR_RETURN(auto loaded, store->Load("nginx.tar", {}));         // or an
//   OCI layout folder ASSIGN_OR_RETURN(Image image, store->Get("nginx:1.21"));             // reference, id, or an id's
//   prefix
//
// On disk below state_dir:
//   images/<sha256 of reference>.json   one record per reference (name:tag and name@digest), written atomically, last
//   of all blobs/sha256/<hex>                  manifests, configs, compressed layers, verified while written
//   layers/<chain id hex>/fs            a layer unpacked on top of those below it; layer.json beside it has its size
//   tmp/                                half-made things; emptied when no other process is at work
// What no record and no snapshot leads to is garbage and removed. Several processes (node, `portcullis image load`) may
// use one store: changes hold images/lock exclusively, Prepare of a snapshot holds it shared, readers need none.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "spec/oci/image_types.h"

namespace portcullis::runtime {

struct LayerLimits {
  int64_t max_bytes = int64_t{16} << 30;  // of one layer, uncompressed
  int64_t max_entries = 1'000'000;
  int max_depth = 128;  // path components
};

struct ImageStoreOptions {
  std::string state_dir = "/var/lib/portcullis";
  std::vector<std::string> pinned = {"registry.k8s.io/pause:3.10"};  // never offered for garbage collection
  int64_t max_archive_bytes = int64_t{64} << 30;
  LayerLimits limits;
};

struct Image {
  std::string id;  // config digest, "sha256:…"
  std::string manifest_digest;
  std::vector<std::string> repo_tags;     // "docker.io/library/nginx:1.21", sorted
  std::vector<std::string> repo_digests;  // "docker.io/library/nginx@sha256:…", sorted
  int64_t size = 0;                       // bytes of manifest, config and compressed layers
  bool pinned = false;
  oci::ImageConfig config;
  std::vector<std::string> chain_ids;  // of the unpacked layers, oldest first
};

struct LoadOptions {
  // The name for the image instead of those in the archive, which must then hold one image. With a digest, it must be
  // the image's, and there is no tag.
  std::string name;
  // Told about each step, for people: "nginx:1.21: layer 1/1". May be empty.
  std::function<void(const std::string&)> progress;
  // The blobs of a layout folder are moved out of it, not copied: half the space, and the folder is of no use after.
  bool consume = false;
};

struct RemovedImage {
  std::vector<std::string> references;  // that are gone now
  bool image_removed = false;           // false: only untagged, other names are left
};

struct FilesystemUsage {
  std::string mountpoint;  // a directory on the file system that holds the images
  int64_t bytes = 0;
  int64_t inodes = 0;
};

class ImageStore {
 public:
  // Makes the folders and removes what a crash left half-made.
  static Result<std::unique_ptr<ImageStore>> Open(ImageStoreOptions options);

  // Reads an OCI layout (folder, tar) or a docker-archive (`docker save`), plain or compressed, verifies every digest,
  // unpacks the layers and records the names. All images of the archive, or an error and none.
  Result<std::vector<Image>> Load(const std::string& path, const LoadOptions& options);

  // `name` is a reference ("nginx", "nginx@sha256:…"), an image id with or without "sha256:", or a unique prefix of one
  // (from 4 digits). kNotFound when there is none, kInvalidArgument when ambiguous or malformed.
  Result<Image> Get(const std::string& name) const;
  Result<std::vector<Image>> List() const;  // by id

  // By tag: removes that name, and the image with it when it was the last tag. By id or digest: the image with all its
  // names. Frees blobs and layers that nothing else uses; layers under a snapshot stay until that goes. kNotFound when
  // there is none (CRI's RemoveImage treats that as success).
  // Whether a container uses the image is the caller's question: `may_go` gets the image's id when its last name would
  // go, under the store's lock; its error is returned, and nothing is removed.
  using RemovalCheck = std::function<Result<void>(const std::string& id)>;
  Result<RemovedImage> Remove(const std::string& name, const RemovalCheck& may_go = {});

  // Frees what nothing leads to (after snapshots went). When anything that could lead somewhere cannot be read, an
  // error, and nothing is freed.
  Result<void> CollectGarbage();

  // The blob is here, whole. Reads all of it.
  bool HasBlob(const std::string& digest, int64_t size) const;

  // Blobs and unpacked layers, without containers' own writes.
  Result<FilesystemUsage> Usage() const;

  // For snapshots: while held, no layer disappears. And where a layer's files are.
  Result<base::UniqueFd> LockShared() const;
  std::string LayerPath(const std::string& chain_id) const;  // <state>/layers/<hex>/fs
  const std::string& state_dir() const { return options_.state_dir; }

 private:
  explicit ImageStore(ImageStoreOptions options) : options_(std::move(options)) {}

  // The lock must be held exclusively. TrySweep only logs a failure: the next sweep frees the rest.
  Result<void> Sweep();
  void TrySweep();

  ImageStoreOptions options_;
};

}  // namespace portcullis::runtime
