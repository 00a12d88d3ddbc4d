#include "spec/oci/image_types.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"
#include "spec/oci/digest.h"

namespace portcullis::oci {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxIndexEntries = 1000;
constexpr size_t kMaxListEntries = 10'000;  // env, labels, args, ...

// Typed, non-throwing look at one JSON object. Absent and null are the same, as Go's encoders write both.
class Object {
 public:
  static Result<Object> Of(const Json& json, std::string where) {
    const auto* object = json.get_ptr<const Json::object_t*>();
    if (object == nullptr)
      return Fail(Code::kInvalidArgument, "{}: must be an object, not {}", where, json.type_name());
    return Object(object, std::move(where));
  }

  const std::string& where() const { return where_; }
  std::string Where(std::string_view key) const { return fmt::format("{}: {}", where_, key); }

  const Json* Find(const char* key) const {
    const auto it = object_->find(key);
    return it == object_->end() || it->second.is_null() ? nullptr : &it->second;
  }

  Result<std::string> String(const char* key) const {
    const Json* value = Find(key);
    if (value == nullptr) return std::string();
    const auto* text = value->get_ptr<const std::string*>();
    if (text == nullptr) return WrongType(key, "a string", *value);
    return *text;
  }

  Result<const Json::array_t*> Array(const char* key, size_t limit) const {
    static const Json::array_t kNone;
    const Json* value = Find(key);
    if (value == nullptr) return &kNone;
    const auto* array = value->get_ptr<const Json::array_t*>();
    if (array == nullptr) return WrongType(key, "a list", *value);
    if (array->size() > limit) {
      return Fail(Code::kResourceExhausted, "{}: has {} entries, at most {} are allowed", Where(key), array->size(),
                  limit);
    }
    return array;
  }

  Result<std::vector<std::string>> Strings(const char* key) const {
    ASSIGN_OR_RETURN(const Json::array_t* array, Array(key, kMaxListEntries));
    std::vector<std::string> out;
    out.reserve(array->size());
    for (const Json& element : *array) {
      const auto* text = element.get_ptr<const std::string*>();
      if (text == nullptr) return WrongType(key, "a list of strings", element);
      out.push_back(*text);
    }
    return out;
  }

  Result<std::map<std::string, std::string>> StringMap(const char* key) const {
    std::map<std::string, std::string> out;
    ASSIGN_OR_RETURN(const Json::object_t* object, Map(key));
    for (const auto& [name, element] : *object) {
      const auto* text = element.get_ptr<const std::string*>();
      if (text == nullptr) return WrongType(key, "a map of strings", element);
      out.emplace(name, *text);
    }
    return out;
  }

  // The keys of a Go set: {"80/tcp": {}}.
  Result<std::vector<std::string>> Keys(const char* key) const {
    std::vector<std::string> out;
    ASSIGN_OR_RETURN(const Json::object_t* object, Map(key));
    for (const auto& [name, ignored] : *object) out.push_back(name);
    return out;
  }

  Result<int64_t> Size(const char* key) const {
    const Json* value = Find(key);
    if (value == nullptr) return Fail(Code::kInvalidArgument, "{}: is missing", Where(key));
    const auto* number = value->get_ptr<const Json::number_unsigned_t*>();
    if (number == nullptr || *number > static_cast<uint64_t>(INT64_MAX)) {
      return Fail(Code::kInvalidArgument, "{}: must be a size in bytes, not {}", Where(key), value->dump());
    }
    return static_cast<int64_t>(*number);
  }

 private:
  Object(const Json::object_t* object, std::string where) : object_(object), where_(std::move(where)) {}

  Failure WrongType(const char* key, std::string_view wanted, const Json& value) const {
    return Fail(Code::kInvalidArgument, "{}: must be {}, not {}", Where(key), wanted, value.type_name());
  }

  Result<const Json::object_t*> Map(const char* key) const {
    static const Json::object_t kNone;
    const Json* value = Find(key);
    if (value == nullptr) return &kNone;
    const auto* object = value->get_ptr<const Json::object_t*>();
    if (object == nullptr) return WrongType(key, "an object", *value);
    if (object->size() > kMaxListEntries) {
      return Fail(Code::kResourceExhausted, "{}: has more than {} entries", Where(key), kMaxListEntries);
    }
    return object;
  }

  const Json::object_t* object_;
  std::string where_;
};

Result<Json> Parse(std::string_view text, size_t limit, const std::string& what) {
  if (text.size() > limit) {
    return Fail(Code::kResourceExhausted, "{}: is {} bytes long, at most {} are allowed", what, text.size(), limit);
  }
  return base::ParseJson(text, what);
}

Result<Platform> DecodePlatform(const Object& object) {
  Platform platform;
  ASSIGN_OR_RETURN(platform.os, object.String("os"));
  ASSIGN_OR_RETURN(platform.architecture, object.String("architecture"));
  ASSIGN_OR_RETURN(platform.variant, object.String("variant"));
  return platform;
}

Result<Descriptor> DecodeDescriptor(const Json& json, const std::string& where) {
  ASSIGN_OR_RETURN(Object object, Object::Of(json, where));
  Descriptor descriptor;
  ASSIGN_OR_RETURN(descriptor.media_type, object.String("mediaType"));
  ASSIGN_OR_RETURN(descriptor.digest, object.String("digest"));
  TRY(CheckDigest(descriptor.digest, where));
  ASSIGN_OR_RETURN(descriptor.size, object.Size("size"));
  ASSIGN_OR_RETURN(descriptor.annotations, object.StringMap("annotations"));
  if (const Json* platform = object.Find("platform")) {
    ASSIGN_OR_RETURN(Object platform_object, Object::Of(*platform, object.Where("platform")));
    ASSIGN_OR_RETURN(descriptor.platform, DecodePlatform(platform_object));
  }
  return descriptor;
}

Result<Index> IndexFrom(const Object& object, std::string media_type) {
  Index index{.media_type = std::move(media_type), .manifests = {}};
  ASSIGN_OR_RETURN(const Json::array_t* manifests, object.Array("manifests", kMaxIndexEntries));
  for (size_t i = 0; i < manifests->size(); ++i) {
    ASSIGN_OR_RETURN(Descriptor entry,
                     DecodeDescriptor((*manifests)[i], fmt::format("{}: manifests[{}]", object.where(), i)));
    index.manifests.push_back(std::move(entry));
  }
  return index;
}

Result<Manifest> ManifestFrom(const Object& object, std::string media_type) {
  Manifest manifest;
  manifest.media_type = std::move(media_type);
  const Json* config = object.Find("config");
  if (config == nullptr) return Fail(Code::kInvalidArgument, "{}: is missing", object.Where("config"));
  ASSIGN_OR_RETURN(manifest.config, DecodeDescriptor(*config, object.Where("config")));
  ASSIGN_OR_RETURN(const Json::array_t* layers, object.Array("layers", kMaxLayers));
  for (size_t i = 0; i < layers->size(); ++i) {
    ASSIGN_OR_RETURN(Descriptor layer,
                     DecodeDescriptor((*layers)[i], fmt::format("{}: layers[{}]", object.where(), i)));
    manifest.layers.push_back(std::move(layer));
  }
  ASSIGN_OR_RETURN(manifest.annotations, object.StringMap("annotations"));
  return manifest;
}

Result<void> DecodeRunConfig(const Object& object, ImageConfig& config) {
  ASSIGN_OR_RETURN(config.user, object.String("User"));
  ASSIGN_OR_RETURN(config.env, object.Strings("Env"));
  ASSIGN_OR_RETURN(config.entrypoint, object.Strings("Entrypoint"));
  ASSIGN_OR_RETURN(config.cmd, object.Strings("Cmd"));
  ASSIGN_OR_RETURN(config.volumes, object.Keys("Volumes"));
  ASSIGN_OR_RETURN(config.exposed_ports, object.Keys("ExposedPorts"));
  ASSIGN_OR_RETURN(config.working_dir, object.String("WorkingDir"));
  ASSIGN_OR_RETURN(config.stop_signal, object.String("StopSignal"));
  ASSIGN_OR_RETURN(config.labels, object.StringMap("Labels"));
  return {};
}

bool IsIndexType(std::string_view type) { return type == media::kOciIndex || type == media::kDockerList; }
bool IsManifestType(std::string_view type) { return type == media::kOciManifest || type == media::kDockerManifest; }

// The type that header and body agree on; "" when neither names one.
Result<std::string> AgreedType(const Object& object, std::string_view claimed) {
  ASSIGN_OR_RETURN(std::string type, object.String("mediaType"));
  if (type.empty()) return std::string(claimed);
  if (!claimed.empty() && claimed != type) {
    return Fail(Code::kInvalidArgument, "{}: mediaType is {}, but it was announced as {}", object.where(),
                base::Quote(type), base::Quote(claimed));
  }
  return type;
}

std::string Describe(const Platform& platform) {
  return platform.os + "/" + platform.architecture + (platform.variant.empty() ? "" : "/" + platform.variant);
}

// Higher is better; 0 does not fit.
int Fit(const Descriptor& entry, std::string_view architecture, std::string_view variant) {
  if (!entry.platform) return 1;
  const Platform& platform = *entry.platform;
  if (platform.os != "linux" || platform.architecture != architecture) return 0;
  if (platform.variant == variant) return 4;
  const std::string_view usual = architecture == "arm64" ? "v8" : architecture == "arm" ? "v7" : "";
  if (variant.empty() && platform.variant == usual) return 3;
  return platform.variant.empty() ? 2 : 0;
}

}  // namespace

Result<ManifestOrIndex> DecodeManifest(std::string_view json, std::string_view media_type) {
  ASSIGN_OR_RETURN(Json root, Parse(json, kMaxManifestBytes, "image manifest"));
  ASSIGN_OR_RETURN(Object object, Object::Of(root, "image manifest"));
  const Json* schema = object.Find("schemaVersion");
  if (schema != nullptr && *schema == 1) {
    return Fail(Code::kInvalidArgument,
                "image manifest: is of Docker's schema 1, which is not supported: push the image again with a current "
                "program");
  }
  if (schema == nullptr || *schema != 2) {
    return Fail(Code::kInvalidArgument, "image manifest: schemaVersion must be 2, not {}",
                schema == nullptr ? "absent" : schema->dump());
  }
  ASSIGN_OR_RETURN(std::string type, AgreedType(object, media_type));
  const bool has_manifests = object.Find("manifests") != nullptr;
  if (has_manifests && object.Find("config") != nullptr) {
    return Fail(Code::kInvalidArgument, "image manifest: has both config and manifests");
  }
  if (type.empty()) type = has_manifests ? media::kOciIndex : media::kOciManifest;
  if (IsIndexType(type)) {
    ASSIGN_OR_RETURN(Index index, IndexFrom(object, std::move(type)));
    return ManifestOrIndex(std::move(index));
  }
  if (IsManifestType(type)) {
    ASSIGN_OR_RETURN(Manifest manifest, ManifestFrom(object, std::move(type)));
    return ManifestOrIndex(std::move(manifest));
  }
  return Fail(Code::kInvalidArgument, "image manifest: media type {} is not one of an image", base::Quote(type));
}

Result<Index> DecodeIndex(std::string_view json) {
  ASSIGN_OR_RETURN(ManifestOrIndex decoded, DecodeManifest(json, ""));
  if (auto* index = std::get_if<Index>(&decoded)) return std::move(*index);
  return Fail(Code::kInvalidArgument, "image index: is an image manifest");
}

Result<ImageConfig> DecodeImageConfig(std::string_view json) {
  ASSIGN_OR_RETURN(Json root, Parse(json, kMaxConfigBytes, "image config"));
  ASSIGN_OR_RETURN(Object object, Object::Of(root, "image config"));
  ImageConfig config;
  ASSIGN_OR_RETURN(config.platform, DecodePlatform(object));
  ASSIGN_OR_RETURN(config.created, object.String("created"));
  ASSIGN_OR_RETURN(config.author, object.String("author"));
  if (const Json* run = object.Find("config")) {
    ASSIGN_OR_RETURN(Object run_object, Object::Of(*run, "image config: config"));
    TRY(DecodeRunConfig(run_object, config));
  }
  const Json* rootfs = object.Find("rootfs");
  if (rootfs == nullptr) return Fail(Code::kInvalidArgument, "image config: rootfs: is missing");
  ASSIGN_OR_RETURN(Object rootfs_object, Object::Of(*rootfs, "image config: rootfs"));
  ASSIGN_OR_RETURN(std::string rootfs_type, rootfs_object.String("type"));
  if (rootfs_type != "layers") {
    return Fail(Code::kInvalidArgument, "image config: rootfs: type must be \"layers\", not {}",
                base::Quote(rootfs_type));
  }
  ASSIGN_OR_RETURN(config.diff_ids, rootfs_object.Strings("diff_ids"));
  if (config.diff_ids.size() > kMaxLayers) {
    return Fail(Code::kResourceExhausted, "image config: has {} layers, at most {} are allowed", config.diff_ids.size(),
                kMaxLayers);
  }
  for (size_t i = 0; i < config.diff_ids.size(); ++i) {
    TRY(CheckDigest(config.diff_ids[i], fmt::format("image config: rootfs: diff_ids[{}]", i)));
  }
  return config;
}

std::string EncodeManifest(const Manifest& manifest) {
  using Ordered = nlohmann::ordered_json;
  const auto descriptor = [](const Descriptor& d) {
    return Ordered{{"mediaType", d.media_type}, {"digest", d.digest}, {"size", d.size}};
  };
  Ordered root{{"schemaVersion", 2}, {"mediaType", manifest.media_type}, {"config", descriptor(manifest.config)}};
  root["layers"] = Ordered::array();
  for (const Descriptor& layer : manifest.layers) root["layers"].push_back(descriptor(layer));
  if (!manifest.annotations.empty()) root["annotations"] = manifest.annotations;
  // Annotations may hold bytes that are not UTF-8 only if a caller put them there; replace rather than throw.
  return root.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

std::string_view HostArchitecture() {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__aarch64__)
  return "arm64";
#elif defined(__arm__)
  return "arm";
#elif defined(__i386__)
  return "386";
#elif defined(__riscv) && __riscv_xlen == 64
  return "riscv64";
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  return "ppc64le";
#elif defined(__s390x__)
  return "s390x";
#else
#error "name this architecture as Go does"
#endif
}

Result<Descriptor> ChoosePlatform(const Index& index, std::string_view architecture, std::string_view variant) {
  const Descriptor* best = nullptr;
  int best_fit = 0;
  std::vector<std::string> offered;
  for (const Descriptor& entry : index.manifests) {
    const int fit = Fit(entry, architecture, variant);
    if (fit > best_fit) {
      best = &entry;
      best_fit = fit;
    }
    if (entry.platform) offered.push_back(Describe(*entry.platform));
  }
  if (best == nullptr) {
    return Fail(Code::kNotFound, "image index: nothing for linux/{}; it offers {}", architecture,
                offered.empty() ? "nothing" : base::Join(offered, ", "));
  }
  return *best;
}

}  // namespace portcullis::oci
