#include "runtime/image/image_load.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/try.h"
#include "runtime/image/layer_unpack.h"
#include "spec/oci/digest.h"
#include "spec/oci/reference.h"

namespace portcullis::runtime {
namespace {

std::string BlobPath(const std::string& digest) { return "blobs/sha256/" + std::string(oci::DigestHex(digest)); }

Result<void> CheckPlatform(const oci::ImageConfig& config, const std::string& name) {
  const oci::Platform& platform = config.platform;
  const bool fits = (platform.os.empty() || platform.os == "linux") &&
                    (platform.architecture.empty() || platform.architecture == oci::HostArchitecture());
  if (fits) return {};
  return Fail(Code::kInvalidArgument, "image {}: is for {}/{}, this host is linux/{}", name, platform.os,
              platform.architecture, oci::HostArchitecture());
}

class Importer {
 public:
  Importer(ImageArchive& archive, const StoreLayout& layout, const LayerLimits& limits, const LoadOptions& options,
           std::string name)
      : archive_(archive), layout_(layout), limits_(limits), options_(options), name_(std::move(name)) {}

  Result<void> Run(const oci::Manifest& manifest, const std::map<std::string, std::string>& paths) {
    TRY(StoreBlob(manifest.config, paths));
    ASSIGN_OR_RETURN(const std::string bytes, ReadBlob(layout_, manifest.config.digest, oci::kMaxConfigBytes));
    ASSIGN_OR_RETURN(const oci::ImageConfig config, oci::DecodeImageConfig(bytes));
    TRY(CheckPlatform(config, name_));
    if (config.diff_ids.size() != manifest.layers.size()) {
      return Fail(Code::kInvalidArgument, "image {}: the manifest has {} layers, the config {}", name_,
                  manifest.layers.size(), config.diff_ids.size());
    }
    const std::vector<std::string> chain = oci::ChainIds(config.diff_ids);
    for (size_t i = 0; i < chain.size(); ++i) {
      if (manifest.layers[i].media_type.find(".tar") == std::string::npos) {
        return Fail(Code::kInvalidArgument, "image {}: layer {} is of type \"{}\", which is no file system layer",
                    name_, i + 1, manifest.layers[i].media_type);
      }
      TRY(StoreBlob(manifest.layers[i], paths));
      Report(fmt::format("layer {} of {}", i + 1, chain.size()));
      TRY(Unpack(manifest.layers[i].digest, config.diff_ids[i], chain, i));
    }
    return {};
  }

 private:
  void Report(const std::string& step) const {
    if (options_.progress) options_.progress(name_ + ": " + step);
  }

  Result<void> StoreBlob(const oci::Descriptor& blob, const std::map<std::string, std::string>& paths) {
    // What is there but damaged is replaced: loading an image again is how it is repaired.
    if (BlobIsWhole(layout_, blob.digest, blob.size)) return {};
    const auto it = paths.find(blob.digest);
    ASSIGN_OR_RETURN(const StagedFile file, archive_.Stage(it == paths.end() ? BlobPath(blob.digest) : it->second));
    if (file.digest != blob.digest || file.size != blob.size) {
      return Fail(Code::kDataLoss, "image {}: blob {} of {} bytes is in truth {} of {} bytes", name_, blob.digest,
                  blob.size, file.digest, file.size);
    }
    return AdoptBlob(layout_, file);
  }

  Result<void> Unpack(const std::string& blob, const std::string& diff_id, const std::vector<std::string>& chain,
                      size_t index) {
    const std::string target = layout_.Layer(chain[index]);
    if (base::Exists(target)) return {};
    std::vector<std::string> lowers;
    for (size_t below = index; below-- > 0;) lowers.push_back(layout_.Layer(chain[below]) + "/fs");
    ASSIGN_OR_RETURN(ScratchDir scratch, ScratchDir::Make(layout_));
    const std::string made = scratch.path() + "/layer";
    TRY(base::MakeDirs(made + "/fs"));
    auto unpacked = UnpackLayer({.blob_path = layout_.Blob(blob), .diff_id = diff_id}, made + "/fs", lowers, limits_);
    if (!unpacked) return Wrap(std::move(unpacked).error(), "image {}: layer {}", name_, index + 1);
    ASSIGN_OR_RETURN(const TreeSize size, MeasureTree(made + "/fs"));
    const nlohmann::json info{{"diffId", diff_id}, {"bytes", size.bytes}, {"inodes", size.inodes}};
    TRY(base::WriteFileAtomic(made + "/layer.json", info.dump() + "\n", 0600));
    ASSIGN_OR_RETURN(base::UniqueFd fd, base::OpenDir(made));
    if (::syncfs(fd.get()) != 0) return FailErrno(errno, "sync {}", made);
    if (::rename(made.c_str(), target.c_str()) != 0) return FailErrno(errno, "rename {} to {}", made, target);
    return SyncDir(layout_.Layers());
  }

  ImageArchive& archive_;
  const StoreLayout& layout_;
  const LayerLimits& limits_;
  const LoadOptions& options_;
  std::string name_;
};

}  // namespace

Result<std::vector<ImageRecord>> StoreImage(ImageArchive& archive, const ArchivedImage& image,
                                            const StoreLayout& layout, const LayerLimits& limits,
                                            const LoadOptions& options) {
  if (image.tags.empty()) {
    return Fail(Code::kInvalidArgument, "image archive {}: image {} has no name; give it one with --name",
                archive.name(), image.manifest_digest);
  }
  ASSIGN_OR_RETURN(const oci::ManifestOrIndex decoded, oci::DecodeManifest(image.manifest, ""));
  const auto* manifest = std::get_if<oci::Manifest>(&decoded);
  if (manifest == nullptr)
    return Fail(Code::kInvalidArgument, "image {}: its manifest is an index", image.tags.front());
  TRY(Importer(archive, layout, limits, options, image.tags.front()).Run(*manifest, image.paths));
  TRY(WriteBlob(layout, image.manifest_digest, image.manifest));

  std::vector<ImageRecord> records;
  for (const std::string& tag : image.tags) {
    ASSIGN_OR_RETURN(const oci::Reference reference, oci::ParseReference(tag));
    for (const std::string& name : {tag, reference.WithDigest(image.digest)}) {
      records.push_back(
          {.reference = name, .manifest_digest = image.manifest_digest, .config_digest = manifest->config.digest});
    }
  }
  return records;
}

}  // namespace portcullis::runtime
