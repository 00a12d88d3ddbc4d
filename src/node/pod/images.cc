#include "node/pod/images.h"

#include <algorithm>
#include <iterator>

#include "base/clock.h"
#include "base/log.h"

namespace portcullis::node {
namespace {

constexpr char kErrImagePull[] = "ErrImagePull";
constexpr std::string_view kRegistryUnavailable = "RegistryUnavailable";
constexpr std::string_view kSignatureValidationFailed = "SignatureValidationFailed";
constexpr std::string_view kRuntimeReasons[] = {kRegistryUnavailable, kSignatureValidationFailed};

// The kubelet's reasons for a runtime's error.
StepFailure PullFailure(const std::string& image, const std::string& message) {
  for (const std::string_view reason : kRuntimeReasons) {
    if (!message.starts_with(reason)) continue;
    return {std::string(reason), fmt::format("image pull failed for {} because {}{}", image,
                                             reason == kRegistryUnavailable ? "the registry is unavailable"
                                                                            : "the signature validation failed",
                                             message.substr(reason.size()))};
  }
  return {kErrImagePull, message};
}

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

bool IsPullFailure(const std::string& reason) {
  return reason == kErrImagePull || std::ranges::find(kRuntimeReasons, reason) != std::end(kRuntimeReasons);
}

std::string BackOffMessage(const std::string& image, const std::string& reason, const std::string& message) {
  return fmt::format("Back-off pulling image \"{}\": {}: {}", image, reason, message);
}

ImageManager::ImageManager(cri::RuntimeApi& runtime, const PodSettings& settings)
    : runtime_(runtime), settings_(settings), slots_(settings.parallel_image_pulls) {}

std::variant<ImageFacts, StepFailure> ImageManager::Ensure(const k8s::Container& container,
                                                           const cri::PodSandboxConfig& sandbox, PullMemory& memory) {
  const std::string image = WithDefaultTag(container.image);
  cri::ImageSpec spec{.image = image, .user_specified_image = container.image};
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
  if (const auto failed = memory.failed.find(image); failed != memory.failed.end()) {
    const auto retry_at = memory.back_off.RetryAt(image, failed->second.at);
    if (retry_at && MustWait(failed->second.at, *retry_at, base::NowUnixNanos())) {
      return StepFailure{"ImagePullBackOff",
                         BackOffMessage(container.image, failed->second.reason, failed->second.message), retry_at};
    }
    memory.failed.erase(failed);
  }
  const auto pulled = [&] {
    const PullSlots::Place place(slots_);
    base::LogInfo("pulling image", {{"image", container.image}, {"container", container.name}});
    cri::PullImageRequest request{.image = spec, .sandbox_config = sandbox};
    if (settings_.login_of_image) request.auth = settings_.login_of_image(image);
    return runtime_.PullImage(request);
  }();
  if (!pulled) {
    StepFailure failure = PullFailure(image, pulled.error().message);
    const int64_t now = base::NowUnixNanos();
    memory.back_off.Next(image, now, now);
    memory.failed[image] = {.reason = failure.reason, .message = failure.message, .at = now};
    failure.retry_at = memory.back_off.RetryAt(image, now);
    return failure;
  }
  base::LogInfo("image pulled", {{"image", container.image}, {"id", pulled->image_ref}});
  status = runtime_.ImageStatus({.image = spec});
  if (!status || !status->image) {
    return StepFailure{"ImageInspectError",
                       fmt::format("Failed to inspect image \"{}\" after it was pulled: {}", container.image,
                                   status ? "not present" : status.error().message)};
  }
  return FactsOf(*status->image);
}

}  // namespace portcullis::node
