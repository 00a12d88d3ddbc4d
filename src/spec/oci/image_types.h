// OCI image documents (manifest, index, config) and their Docker schema 2 twins, decoded strictly from untrusted bytes.
//
// Sources: image-spec manifest.md, image-index.md, config.md, descriptor.md; Docker "Image Manifest Version 2, Schema
// 2". Sizes are bounded here, so a caller may hold every decoded document in memory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace portcullis::oci {

inline constexpr size_t kMaxManifestBytes = 4u << 20;  // distribution-spec's limit
inline constexpr size_t kMaxConfigBytes = 8u << 20;
inline constexpr size_t kMaxLayers = 500;  // overlayfs's own limit of lower directories

namespace media {
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
}  // namespace media

struct Platform {
  std::string os;
  std::string architecture;  // Go's names: amd64, arm64, arm, riscv64, ...
  std::string variant;       // "v8"; "" when not given
};

struct Descriptor {
  std::string media_type;
  std::string digest;
  int64_t size = 0;
  std::optional<Platform> platform;
  std::map<std::string, std::string> annotations;
};

struct Manifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;  // oldest first
  std::map<std::string, std::string> annotations;
};

struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
};

// What an image says about how to run it (config.md). Empty means "not given".
struct ImageConfig {
  Platform platform;
  std::string created;  // RFC 3339, as written
  std::string author;
  std::string user;  // "1000", "nginx", "1000:1000"
  std::vector<std::string> env;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::string> volumes;        // mount points, sorted
  std::vector<std::string> exposed_ports;  // "80/tcp", sorted
  std::string working_dir;
  std::string stop_signal;  // "SIGQUIT", "15"
  std::map<std::string, std::string> labels;
  std::vector<std::string> diff_ids;  // oldest first
};

using ManifestOrIndex = std::variant<Manifest, Index>;

// `media_type` is what the descriptor or the HTTP header claimed ("" when unknown); a `mediaType` in the body must
// agree. Docker schema 1 and unknown types are errors.
Result<ManifestOrIndex> DecodeManifest(std::string_view json, std::string_view media_type);
Result<Index> DecodeIndex(std::string_view json);
Result<ImageConfig> DecodeImageConfig(std::string_view json);

// A manifest as JSON with a fixed order of keys (for images made from a docker-archive, which carries none).
std::string EncodeManifest(const Manifest& manifest);

// Go's name of the architecture this program was built for.
std::string_view HostArchitecture();

// The entry of an index that fits linux/`architecture` best (exact variant, then the usual one, then none); entries
// without a platform fit only when there is no other. kNotFound names what the index offers.
Result<Descriptor> ChoosePlatform(const Index& index, std::string_view architecture, std::string_view variant = "");

}  // namespace portcullis::oci
