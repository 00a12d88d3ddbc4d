#include "node/pod/images.h"

#include "base/log.h"

namespace portcullis::node {
namespace {

ImageFacts FactsOf(const cri::Image& image) {
  ImageFacts facts{.id = image.id, .uid = std::nullopt, .user_name = image.username};
  if (image.uid) {
    facts.uid = image.uid->value;
  } else if (image.username.empty()) {
    facts.uid = 0;  // an image that names nobody runs as root
  }
  return facts;
}

}  // namespace

std::string WithDefaultTag(const std::string& image) {
  size_t last = image.rfind('/');
  size_t from = last == std::string::npos ? 0 : last + 1;
  return image.find_first_of(":@", from) == std::string::npos ? image + ":latest" : image;
}

ImageManager::ImageManager(cri::RuntimeApi& runtime, const PodSettings& settings)
    : runtime_(runtime), serialize_(settings.serialize_image_pulls) {}

std::variant<ImageFacts, StepFailure> ImageManager::Ensure(const k8s::Container& container,
                                                           const cri::PodSandboxConfig& sandbox) {
  cri::ImageSpec spec{.image = WithDefaultTag(container.image), .user_specified_image = container.image};
  auto status = runtime_.ImageStatus({.image = spec});
  if (!status && status.error().code == Code::kInvalidArgument) {
    return StepFailure{"InvalidImageName", fmt::format("Failed to apply default image tag \"{}\": {}", container.image,
                                                       status.error().message)};
  }
  if (!status) {
    return StepFailure{"ImageInspectError",
                       fmt::format("Failed to inspect image \"{}\": {}", container.image, status.error().message)};
  }
  bool present = status->image.has_value();
  bool pull = container.image_pull_policy == "Always" || (container.image_pull_policy == "IfNotPresent" && !present);
  if (!pull) {
    if (present) return FactsOf(*status->image);
    return StepFailure{"ErrImageNeverPull",
                       fmt::format("Container image \"{}\" is not present with pull policy of Never", container.image)};
  }
  std::unique_lock<std::mutex> one_at_a_time(pulling_, std::defer_lock);
  if (serialize_) one_at_a_time.lock();
  auto pulled = runtime_.PullImage({.image = spec, .sandbox_config = sandbox});
  if (!pulled && present) {
    base::LogWarning("image could not be pulled, the one that is present is used",
                     {{"image", container.image}, {"container", container.name}, {"err", pulled.error().message}});
    return FactsOf(*status->image);
  }
  if (!pulled) return StepFailure{"ErrImagePull", pulled.error().message};
  status = runtime_.ImageStatus({.image = spec});
  if (!status || !status->image) {
    return StepFailure{"ImageInspectError",
                       fmt::format("Failed to inspect image \"{}\" after it was pulled: {}", container.image,
                                   status ? "not present" : status.error().message)};
  }
  return FactsOf(*status->image);
}

}  // namespace portcullis::node
