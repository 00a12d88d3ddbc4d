// What an archive offers: OCI image-layout (image-spec image-layout.md) and Docker's `docker save` format.
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/image/image_load.h"
#include "spec/oci/digest.h"
#include "spec/oci/reference.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

constexpr int kMaxIndexDepth = 3;
constexpr size_t kMaxImages = 1000;
constexpr const char* kRefName = "org.opencontainers.image.ref.name";
constexpr const char* kContainerdName = "io.containerd.image.name";

std::string BlobPath(const std::string& digest) { return "blobs/sha256/" + std::string(oci::DigestHex(digest)); }

Result<std::string> ReadVerified(const ImageArchive& archive, const oci::Descriptor& descriptor, size_t max_bytes) {
  ASSIGN_OR_RETURN(std::string bytes, archive.Read(BlobPath(descriptor.digest), max_bytes));
  if (oci::DigestOf(bytes) != descriptor.digest) {
    return Fail(Code::kDataLoss, "image archive {}: blob {} has the digest {}", archive.name(), descriptor.digest,
                oci::DigestOf(bytes));
  }
  return bytes;
}

Result<std::string> NormalTag(const std::string& text) {
  ASSIGN_OR_RETURN(oci::Reference reference, oci::ParseReference(text));
  if (reference.tag.empty()) reference.tag = "latest";
  return reference.TagString();
}

// The full name in a descriptor's annotations, or "". ref.name may be a bare tag ("latest"), which names no repository.
Result<std::string> NameOf(const oci::Descriptor& descriptor) {
  const auto& notes = descriptor.annotations;
  if (const auto it = notes.find(kContainerdName); it != notes.end()) return NormalTag(it->second);
  const auto it = notes.find(kRefName);
  if (it == notes.end() || it->second.find_first_of("/:@") == std::string::npos) return std::string();
  return NormalTag(it->second);
}

// Follows indexes down to the manifest for this host.
Result<ArchivedImage> Resolve(const ImageArchive& archive, const oci::Descriptor& top) {
  oci::Descriptor descriptor = top;
  for (int depth = 0; depth < kMaxIndexDepth; ++depth) {
    ASSIGN_OR_RETURN(std::string bytes, ReadVerified(archive, descriptor, oci::kMaxManifestBytes));
    ASSIGN_OR_RETURN(oci::ManifestOrIndex decoded, oci::DecodeManifest(bytes, descriptor.media_type));
    const auto* index = std::get_if<oci::Index>(&decoded);
    if (index == nullptr) {
      return ArchivedImage{.tags = {},
                           .digest = top.digest,
                           .manifest = std::move(bytes),
                           .manifest_digest = descriptor.digest,
                           .paths = {}};
    }
    ASSIGN_OR_RETURN(descriptor, oci::ChoosePlatform(*index, oci::HostArchitecture()));
  }
  return Fail(Code::kInvalidArgument, "image archive {}: indexes nested deeper than {}", archive.name(),
              kMaxIndexDepth);
}

struct DockerImage {
  std::string config;
  std::vector<std::string> tags;
  std::vector<std::string> layers;
};

Result<std::vector<std::string>> StringsOf(const Json& object, const char* key, const std::string& where) {
  std::vector<std::string> out;
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return out;
  if (!it->is_array()) return Fail(Code::kInvalidArgument, "{}: {} must be a list of strings", where, key);
  for (const Json& element : *it) {
    if (!element.is_string()) return Fail(Code::kInvalidArgument, "{}: {} must be a list of strings", where, key);
    out.push_back(element.get<std::string>());
  }
  return out;
}

Result<std::vector<DockerImage>> ReadDockerManifest(const ImageArchive& archive) {
  ASSIGN_OR_RETURN(const std::string text, archive.Read("manifest.json", oci::kMaxManifestBytes));
  const std::string where = "manifest.json of image archive " + archive.name();
  ASSIGN_OR_RETURN(const Json json, base::ParseJson(text, where));
  if (!json.is_array() || json.size() > kMaxImages)
    return Fail(Code::kInvalidArgument, "{}: must be a list of images", where);
  std::vector<DockerImage> images;
  for (const Json& element : json) {
    if (!element.is_object()) return Fail(Code::kInvalidArgument, "{}: must be a list of objects", where);
    DockerImage image;
    const auto config = element.find("Config");
    if (config == element.end() || !config->is_string())
      return Fail(Code::kInvalidArgument, "{}: Config is missing", where);
    image.config = config->get<std::string>();
    ASSIGN_OR_RETURN(const std::vector<std::string> names, StringsOf(element, "RepoTags", where));
    for (const std::string& name : names) {
      ASSIGN_OR_RETURN(std::string tag, NormalTag(name));
      image.tags.push_back(std::move(tag));
    }
    ASSIGN_OR_RETURN(image.layers, StringsOf(element, "Layers", where));
    if (image.layers.size() > oci::kMaxLayers) return Fail(Code::kResourceExhausted, "{}: too many layers", where);
    images.push_back(std::move(image));
  }
  return images;
}

// A docker-archive has no manifest; this one names its files by what they are.
Result<ArchivedImage> FromDocker(ImageArchive& archive, const DockerImage& docker) {
  ArchivedImage image{.tags = docker.tags, .digest = {}, .manifest = {}, .manifest_digest = {}, .paths = {}};
  const auto describe = [&](const std::string& path, std::string_view type) -> Result<oci::Descriptor> {
    ASSIGN_OR_RETURN(StagedFile file, archive.Stage(path));
    image.paths[file.digest] = path;
    return oci::Descriptor{
        .media_type = std::string(type), .digest = file.digest, .size = file.size, .platform = {}, .annotations = {}};
  };
  oci::Manifest manifest;
  manifest.media_type = oci::media::kOciManifest;
  ASSIGN_OR_RETURN(manifest.config, describe(docker.config, oci::media::kOciConfig));
  for (const std::string& path : docker.layers) {
    ASSIGN_OR_RETURN(oci::Descriptor layer, describe(path, oci::media::kOciLayer));
    manifest.layers.push_back(std::move(layer));
  }
  image.manifest = oci::EncodeManifest(manifest);
  image.manifest_digest = oci::DigestOf(image.manifest);
  image.digest = image.manifest_digest;
  return image;
}

Result<std::vector<ArchivedImage>> FindOci(const ImageArchive& archive) {
  ASSIGN_OR_RETURN(const std::string text, archive.Read("index.json", oci::kMaxManifestBytes));
  auto index = oci::DecodeIndex(text);
  if (!index) return Wrap(std::move(index).error(), "index.json of image archive {}", archive.name());
  // Entries of one name are one image for several platforms.
  std::map<std::string, oci::Index> by_name;
  for (const oci::Descriptor& entry : index->manifests) {
    ASSIGN_OR_RETURN(const std::string name, NameOf(entry));
    by_name[name.empty() ? "@" + entry.digest : name].manifests.push_back(entry);
  }
  std::map<std::string, ArchivedImage> by_manifest;
  for (const auto& [name, group] : by_name) {
    oci::Descriptor top = group.manifests.front();
    if (group.manifests.size() > 1) {
      ASSIGN_OR_RETURN(top, oci::ChoosePlatform(group, oci::HostArchitecture()));
    }
    ASSIGN_OR_RETURN(ArchivedImage image, Resolve(archive, top));
    const std::string key = image.manifest_digest;
    auto& kept = by_manifest.emplace(key, std::move(image)).first->second;
    if (!name.starts_with('@')) kept.tags.push_back(name);
  }
  std::vector<ArchivedImage> images;
  for (auto& [digest, image] : by_manifest) images.push_back(std::move(image));
  return images;
}

// `docker save` writes both formats into one archive, and only manifest.json has all names.
Result<void> AddDockerNames(const ImageArchive& archive, std::vector<ArchivedImage>& images) {
  if (!archive.Has("manifest.json")) return {};
  ASSIGN_OR_RETURN(const std::vector<DockerImage> docker, ReadDockerManifest(archive));
  for (ArchivedImage& image : images) {
    if (!image.tags.empty()) continue;
    ASSIGN_OR_RETURN(const oci::ManifestOrIndex decoded, oci::DecodeManifest(image.manifest, ""));
    const auto* manifest = std::get_if<oci::Manifest>(&decoded);
    if (manifest == nullptr) continue;
    for (const DockerImage& candidate : docker) {
      if (candidate.config.find(oci::DigestHex(manifest->config.digest)) != std::string::npos)
        image.tags = candidate.tags;
    }
  }
  return {};
}

}  // namespace

Result<std::vector<ArchivedImage>> FindImages(ImageArchive& archive) {
  std::vector<ArchivedImage> images;
  if (archive.Has("index.json")) {
    ASSIGN_OR_RETURN(images, FindOci(archive));
    TRY(AddDockerNames(archive, images));
  } else if (archive.Has("manifest.json")) {
    ASSIGN_OR_RETURN(const std::vector<DockerImage> docker, ReadDockerManifest(archive));
    for (const DockerImage& entry : docker) {
      ASSIGN_OR_RETURN(ArchivedImage image, FromDocker(archive, entry));
      images.push_back(std::move(image));
    }
  } else {
    return Fail(Code::kInvalidArgument,
                "image archive {}: is neither an OCI layout (no index.json) nor a docker-archive (no manifest.json)",
                archive.name());
  }
  if (images.empty()) return Fail(Code::kInvalidArgument, "image archive {}: holds no image", archive.name());
  return images;
}

}  // namespace portcullis::runtime
