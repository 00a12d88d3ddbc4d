#include "runtime/image/image_store.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/document.h"
#include "base/files.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/image/image_load.h"
#include "runtime/image/image_records.h"
#include "runtime/image/snapshot_record.h"
#include "runtime/image/store_files.h"
#include "spec/oci/digest.h"
#include "spec/oci/reference.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMinIdPrefix = 4;
constexpr mode_t kPrivate = 0700;  // layers hold setuid programs: nobody but root may reach them here

struct Documents {
  oci::Manifest manifest;
  oci::ImageConfig config;
  int64_t size = 0;
};

Result<Documents> ReadDocuments(const StoreLayout& layout, const ImageRecord& record) {
  Documents out;
  ASSIGN_OR_RETURN(const std::string manifest, ReadBlob(layout, record.manifest_digest, oci::kMaxManifestBytes));
  ASSIGN_OR_RETURN(oci::ManifestOrIndex decoded, oci::DecodeManifest(manifest, ""));
  auto* plain = std::get_if<oci::Manifest>(&decoded);
  if (plain == nullptr) return Fail(Code::kDataLoss, "image {}: its manifest is an index", record.reference);
  out.manifest = std::move(*plain);
  ASSIGN_OR_RETURN(const std::string config, ReadBlob(layout, record.config_digest, oci::kMaxConfigBytes));
  ASSIGN_OR_RETURN(out.config, oci::DecodeImageConfig(config));
  out.size = static_cast<int64_t>(manifest.size() + config.size());
  for (const oci::Descriptor& layer : out.manifest.layers) out.size += layer.size;
  return out;
}

Result<Image> AssembleImage(const StoreLayout& layout, const std::string& id, const std::vector<ImageRecord>& records,
                            const std::vector<std::string>& pinned) {
  Image image;
  image.id = id;
  const ImageRecord* any = nullptr;
  for (const ImageRecord& record : records) {
    if (record.config_digest != id) continue;
    any = &record;
    (record.IsDigestReference() ? image.repo_digests : image.repo_tags).push_back(record.reference);
    if (std::ranges::find(pinned, record.reference) != pinned.end()) image.pinned = true;
  }
  if (any == nullptr) return Fail(Code::kNotFound, "image {} not found", id);
  ASSIGN_OR_RETURN(Documents documents, ReadDocuments(layout, *any));
  image.manifest_digest = any->manifest_digest;
  image.size = documents.size;
  image.chain_ids = oci::ChainIds(documents.config.diff_ids);
  image.config = std::move(documents.config);
  return image;
}

bool IsIdPrefix(std::string_view text) {
  return text.size() >= kMinIdPrefix && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The image's id for a reference, an id or a prefix of one.
Result<std::string> ResolveId(const std::vector<ImageRecord>& records, const std::string& name) {
  const bool explicit_id = name.starts_with(oci::kSha256Prefix);
  const std::string_view hex =
      explicit_id ? std::string_view(name).substr(oci::kSha256Prefix.size()) : std::string_view(name);
  Error not_found{Code::kNotFound, fmt::format("image {} not found", base::Quote(name)), 0};
  if (!explicit_id) {
    auto reference = oci::ParseReference(name);
    if (reference) {
      const std::string wanted =
          reference->digest.empty() ? reference->TagString() : reference->WithDigest(reference->digest);
      const auto it = std::ranges::find(records, wanted, &ImageRecord::reference);
      if (it != records.end()) return it->config_digest;
    } else if (!IsIdPrefix(hex)) {
      return Failure(std::move(reference).error());
    }
  }
  if (!IsIdPrefix(hex)) {
    if (explicit_id) return Fail(Code::kInvalidArgument, "image id {} is not hexadecimal digits", base::Quote(name));
    return Failure(std::move(not_found));
  }
  std::set<std::string> matches;
  for (const ImageRecord& record : records) {
    if (oci::DigestHex(record.config_digest).starts_with(hex)) matches.insert(record.config_digest);
  }
  if (matches.empty()) return Failure(std::move(not_found));
  if (matches.size() > 1)
    return Fail(Code::kInvalidArgument, "image id {} is ambiguous: {} images begin with it", hex, matches.size());
  return *matches.begin();
}

std::string RepositoryOf(const std::string& reference) {
  if (const size_t at = reference.find('@'); at != std::string::npos) return reference.substr(0, at);
  return reference.substr(0, reference.rfind(':'));
}

// Which records go when `name` is removed: one tag (and its repository's digest name) while other tags are left, else
// all.
std::vector<std::string> RecordsToRemove(const std::vector<ImageRecord>& records, const std::string& id,
                                         const std::string& name) {
  std::vector<std::string> all;
  std::vector<std::string> tags;
  for (const ImageRecord& record : records) {
    if (record.config_digest != id) continue;
    all.push_back(record.reference);
    if (!record.IsDigestReference()) tags.push_back(record.reference);
  }
  const auto reference = oci::ParseReference(name);
  const std::string tag = reference && reference->digest.empty() ? reference->TagString() : "";
  if (tags.size() < 2 || std::ranges::find(tags, tag) == tags.end()) return all;
  std::vector<std::string> going{tag};
  std::erase(tags, tag);
  const std::string repository = RepositoryOf(tag);
  const bool repository_stays =
      std::ranges::any_of(tags, [&](const std::string& t) { return RepositoryOf(t) == repository; });
  for (const std::string& other : all) {
    if (!repository_stays && other.find('@') != std::string::npos && RepositoryOf(other) == repository)
      going.push_back(other);
  }
  return going;
}

// Gone in one step for everybody, then deleted at leisure; a crash in between leaves it in tmp/.
Result<void> Discard(const StoreLayout& layout, const std::string& path) {
  ASSIGN_OR_RETURN(ScratchDir scratch, ScratchDir::Make(layout));
  const std::string away = scratch.path() + "/discarded";
  if (::rename(path.c_str(), away.c_str()) != 0) return FailErrno(errno, "remove {}", path);
  return {};
}

Result<void> EmptyTemporary(const StoreLayout& layout) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, base::ListDir(layout.Temporary()));
  for (const std::string& name : names) TRY(base::RemoveTree(layout.Temporary() + "/" + name));
  return {};
}

struct InUse {
  std::set<std::string> blobs;   // file names
  std::set<std::string> layers;  // folder names
};

// What is not in here will be deleted, so whatever cannot be read now is an error. Damage that will be there the next
// time too (no file, another content) is not: it must not keep the store from freeing anything ever again.
Result<InUse> FindInUse(const StoreLayout& layout) {
  InUse used;
  ASSIGN_OR_RETURN(const std::vector<ImageRecord> records, ReadRecordsStrictly(layout));
  for (const ImageRecord& record : records) {
    used.blobs.emplace(oci::DigestHex(record.manifest_digest));
    used.blobs.emplace(oci::DigestHex(record.config_digest));
    auto documents = ReadDocuments(layout, record);
    if (!documents) {
      const int problem = documents.error().sys_errno;
      if (problem != 0 && problem != ENOENT) return Failure(std::move(documents).error());
      base::LogWarning("image is damaged", {{"image", record.reference}, {"error", documents.error().message}});
      continue;
    }
    for (const oci::Descriptor& layer : documents->manifest.layers) used.blobs.emplace(oci::DigestHex(layer.digest));
    for (const std::string& chain : oci::ChainIds(documents->config.diff_ids))
      used.layers.emplace(oci::DigestHex(chain));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> snapshots, base::ListDir(layout.Snapshots()));
  for (const std::string& id : snapshots) {
    auto record = ReadSnapshotRecord(layout, id);
    if (!record && record.error().sys_errno == ENOENT) continue;  // half-made: nothing is mounted yet
    // A container may run on its layers, whatever is wrong with the record.
    if (!record) return Failure(std::move(record).error());
    for (const std::string& chain : record->chain_ids) used.layers.emplace(oci::DigestHex(chain));
  }
  return used;
}

}  // namespace

Result<std::unique_ptr<ImageStore>> ImageStore::Open(ImageStoreOptions options) {
  // Overlayfs takes the folder in an option string in which these characters separate.
  if (!options.state_dir.starts_with('/') || options.state_dir.find_first_of(",:\\") != std::string::npos) {
    return Fail(Code::kInvalidArgument, "state folder {}: must be absolute and without \",\", \":\" and \"\\\"",
                base::Quote(options.state_dir));
  }
  const StoreLayout layout(options.state_dir);
  for (const std::string& folder :
       {layout.Records(), layout.Blobs(), layout.ShortLinks(), layout.Snapshots(), layout.Temporary()}) {
    TRY(base::MakeDirs(folder, kPrivate));
  }
  for (std::string& name : options.pinned) {
    ASSIGN_OR_RETURN(const oci::Reference reference, oci::ParseReference(name));
    name = reference.String();
  }
  std::unique_ptr<ImageStore> store(new ImageStore(std::move(options)));
  ASSIGN_OR_RETURN(const base::UniqueFd lock, TryLockStore(layout));
  if (lock.valid()) {
    TRY(EmptyTemporary(layout));
    TRY(base::RemoveHalfWritten(layout.Records()));
    store->TrySweep();
  }
  return store;
}

bool ImageStore::HasBlob(const std::string& digest, int64_t size) const {
  return BlobIsWhole(StoreLayout(options_.state_dir), digest, size);
}

Result<std::vector<Image>> ImageStore::Load(const std::string& path, const LoadOptions& options) {
  const StoreLayout layout(options_.state_dir);
  std::string name;
  std::string digest;
  if (!options.name.empty()) {
    ASSIGN_OR_RETURN(const oci::Reference reference, oci::ParseReference(options.name));
    digest = reference.digest;
    name = digest.empty() ? reference.TagString() : reference.WithDigest(digest);
  }
  ASSIGN_OR_RETURN(const base::UniqueFd lock, LockStore(layout, LOCK_EX));
  const auto store_all = [&]() -> Result<std::vector<ImageRecord>> {
    ASSIGN_OR_RETURN(const ScratchDir scratch, ScratchDir::Make(layout));
    if (options.progress) options.progress("reading " + path);
    ASSIGN_OR_RETURN(ImageArchive archive, ImageArchive::Open(path, scratch.path(), options_.max_archive_bytes));
    if (options.consume) archive.Consume();
    ASSIGN_OR_RETURN(std::vector<ArchivedImage> images, FindImages(archive));
    if (!name.empty()) {
      if (images.size() != 1)
        return Fail(Code::kInvalidArgument, "image archive {}: holds {} images, --name names one", path, images.size());
      if (!digest.empty() && images.front().digest != digest) {
        return Fail(Code::kInvalidArgument, "image archive {}: the image has digest {}, not that of the name {}", path,
                    images.front().digest, options.name);
      }
      images.front().tags = {name};
    }
    std::vector<ImageRecord> records;
    for (const ArchivedImage& image : images) {
      ASSIGN_OR_RETURN(std::vector<ImageRecord> some, StoreImage(archive, image, layout, options_.limits, options));
      std::ranges::move(some, std::back_inserter(records));
    }
    return records;
  };
  auto records = store_all();
  if (!records) {
    TrySweep();
    return Failure(std::move(records).error());
  }
  std::set<std::string> ids;
  for (const ImageRecord& record : *records) {
    TRY(WriteRecord(layout, record));
    ids.insert(record.config_digest);
  }
  ASSIGN_OR_RETURN(const std::vector<ImageRecord> all, ReadRecords(layout));
  std::vector<Image> loaded;
  for (const std::string& id : ids) {
    ASSIGN_OR_RETURN(Image image, AssembleImage(layout, id, all, options_.pinned));
    loaded.push_back(std::move(image));
  }
  return loaded;
}

Result<Image> ImageStore::Get(const std::string& name) const {
  const StoreLayout layout(options_.state_dir);
  ASSIGN_OR_RETURN(const std::vector<ImageRecord> records, ReadRecords(layout));
  ASSIGN_OR_RETURN(const std::string id, ResolveId(records, name));
  return AssembleImage(layout, id, records, options_.pinned);
}

Result<std::vector<Image>> ImageStore::List() const {
  const StoreLayout layout(options_.state_dir);
  ASSIGN_OR_RETURN(const std::vector<ImageRecord> records, ReadRecords(layout));
  std::set<std::string> ids;
  for (const ImageRecord& record : records) ids.insert(record.config_digest);
  std::vector<Image> images;
  for (const std::string& id : ids) {
    auto image = AssembleImage(layout, id, records, options_.pinned);
    if (image) {
      images.push_back(std::move(*image));
    } else {
      base::LogWarning("image left out of the list", {{"image", id}, {"error", image.error().message}});
    }
  }
  return images;
}

Result<RemovedImage> ImageStore::Remove(const std::string& name, const RemovalCheck& may_go) {
  const StoreLayout layout(options_.state_dir);
  ASSIGN_OR_RETURN(const base::UniqueFd lock, LockStore(layout, LOCK_EX));
  ASSIGN_OR_RETURN(const std::vector<ImageRecord> records, ReadRecords(layout));
  ASSIGN_OR_RETURN(const std::string id, ResolveId(records, name));
  RemovedImage removed{.references = RecordsToRemove(records, id, name), .image_removed = false};
  const auto of_image = std::ranges::count(records, id, &ImageRecord::config_digest);
  removed.image_removed = removed.references.size() == static_cast<size_t>(of_image);
  if (removed.image_removed && may_go) TRY(may_go(id));
  for (const std::string& reference : removed.references) TRY(RemoveRecord(layout, reference));
  TrySweep();
  return removed;
}

Result<void> ImageStore::CollectGarbage() {
  ASSIGN_OR_RETURN(const base::UniqueFd lock, LockStore(StoreLayout(options_.state_dir), LOCK_EX));
  return Sweep();
}

void ImageStore::TrySweep() {
  if (auto swept = Sweep(); !swept) {
    base::LogWarning("image garbage stays until the next time", {{"error", swept.error().message}});
  }
}

Result<void> ImageStore::Sweep() {
  const StoreLayout layout(options_.state_dir);
  ASSIGN_OR_RETURN(const InUse used, FindInUse(layout));
  ASSIGN_OR_RETURN(const std::vector<std::string> blobs, base::ListDir(layout.Blobs()));
  for (const std::string& name : blobs) {
    if (!used.blobs.contains(name)) TRY(base::RemoveTree(layout.Blobs() + "/" + name));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> links, base::ListDir(layout.ShortLinks()));
  for (const std::string& name : links) {
    const auto longer = used.layers.lower_bound(name);
    if (longer == used.layers.end() || !longer->starts_with(name))
      TRY(base::RemoveTree(layout.ShortLinks() + "/" + name));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> layers, base::ListDir(layout.Layers()));
  for (const std::string& name : layers) {
    if (layout.Layers() + "/" + name == layout.ShortLinks() || used.layers.contains(name)) continue;
    TRY(Discard(layout, layout.Layers() + "/" + name));
  }
  return {};
}

Result<FilesystemUsage> ImageStore::Usage() const {
  const StoreLayout layout(options_.state_dir);
  FilesystemUsage usage{.mountpoint = layout.Layers(), .bytes = 0, .inodes = 0};
  ASSIGN_OR_RETURN(const TreeSize blobs, MeasureTree(layout.Blobs()));
  usage.bytes = blobs.bytes;
  usage.inodes = blobs.inodes;
  ASSIGN_OR_RETURN(const std::vector<std::string> layers, base::ListDir(layout.Layers()));
  for (const std::string& name : layers) {
    // Measured when the layer was made; walking all layers at every question would cost seconds on a full node.
    const auto text = base::ReadFile(layout.Layers() + "/" + name + "/layer.json", 4096);
    if (!text) continue;
    const auto json = base::ParseJson(*text, name);
    if (!json || !json->is_object()) continue;
    if (const auto it = json->find("bytes"); it != json->end() && it->is_number_integer())
      usage.bytes += it->get<int64_t>();
    if (const auto it = json->find("inodes"); it != json->end() && it->is_number_integer())
      usage.inodes += it->get<int64_t>();
  }
  return usage;
}

Result<base::UniqueFd> ImageStore::LockShared() const { return LockStore(StoreLayout(options_.state_dir), LOCK_SH); }

std::string ImageStore::LayerPath(const std::string& chain_id) const {
  return StoreLayout(options_.state_dir).Layer(chain_id) + "/fs";
}

}  // namespace portcullis::runtime
