#include "node/image/gc.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "base/try.h"

namespace portcullis::node {
namespace {

constexpr std::chrono::minutes kPeriod(5);

Result<DiskUse> StatFs(const std::string& mountpoint) {
  struct statvfs facts{};
  if (::statvfs(mountpoint.c_str(), &facts) != 0) return FailErrno(errno, "statvfs {}", mountpoint);
  return DiskUse{.capacity = uint64_t{facts.f_blocks} * facts.f_frsize,
                 .available = uint64_t{facts.f_bavail} * facts.f_frsize};
}

// containerd before 2.0 does not pin its pause image, but tells its name in its verbose status.
std::string SandboxImageOf(cri::RuntimeApi& runtime) {
  const auto status = runtime.Status({.verbose = true});
  if (!status) return "";
  const auto config = status->info.find("config");
  if (config == status->info.end()) return "";
  const auto json = nlohmann::json::parse(config->second, nullptr, false);
  if (!json.is_object()) return "";
  const auto name = json.find("sandboxImage");
  return name != json.end() && name->is_string() ? name->get<std::string>() : "";
}

bool Names(const cri::Image& image, const std::string& name) {
  return image.id == name || std::ranges::find(image.repo_tags, name) != image.repo_tags.end() ||
         std::ranges::find(image.repo_digests, name) != image.repo_digests.end();
}

std::string NameOf(const cri::Image& image) {
  if (!image.repo_tags.empty()) return image.repo_tags.front();
  return image.repo_digests.empty() ? image.id : image.repo_digests.front();
}

}  // namespace

ImageGc::ImageGc(ImageGcPolicy policy, cri::RuntimeApi& runtime, ImageGcEvents events)
    : policy_(policy), runtime_(runtime), events_(std::move(events)) {
  if (!events_.disk_use) events_.disk_use = StatFs;
}

ImageGc::~ImageGc() { Stop(); }

void ImageGc::Start() {
  if (policy_.IsOff() || thread_.joinable()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
}

void ImageGc::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void ImageGc::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto collected = Collect(base::Now());
    const std::string problem = collected ? "" : collected.error().message;
    if (!problem.empty() && problem != last_problem_) {
      base::LogError("image garbage collection failed", {{"err", problem}});
    }
    last_problem_ = problem;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kPeriod, [] { return false; });
  }
}

Result<void> ImageGc::Collect(GcTime now) {
  TRY(Observe(now));
  for (const KnownImage& known : ledger_.TooOld(policy_, now)) Remove(known, "age");
  if (policy_.high_percent >= 100) return {};
  std::string mountpoint;
  ASSIGN_OR_RETURN(const DiskUse use, Use(mountpoint));
  const uint64_t wanted = BytesToFree(policy_, use);
  if (wanted == 0) return {};
  base::LogInfo("images are removed: their file system is over the high threshold",
                {{"mountpoint", mountpoint},
                 {"usedPercent", std::to_string(UsagePercent(use))},
                 {"highThreshold", std::to_string(policy_.high_percent)},
                 {"lowThreshold", std::to_string(policy_.low_percent)},
                 {"bytesToFree", std::to_string(wanted)}});
  uint64_t freed = 0;
  for (const KnownImage& known : ledger_.Unused(policy_, now)) {
    freed += Remove(known, "space");
    if (freed >= wanted) return {};
  }
  return Fail(Code::kResourceExhausted,
              "{} is {} % full, and the unused images there are have {} of the {} bytes that should go", mountpoint,
              UsagePercent(use), freed, wanted);
}

Result<void> ImageGc::Observe(GcTime now) {
  // Containers after the images: one that is made in between must count.
  ASSIGN_OR_RETURN(const cri::ListImagesResponse images, runtime_.ListImages({}));
  ASSIGN_OR_RETURN(const cri::ListContainersResponse containers, runtime_.ListContainers({}));
  std::set<std::string> used;
  for (const cri::Container& container : containers.containers) {
    if (container.image) used.insert(container.image->image);
    used.insert(container.image_ref);
    used.insert(container.image_id);
  }
  // As a manifest writes it, "nginx" say: the runtime knows which of its images that is.
  for (const std::string& name : events_.wanted_images()) {
    ASSIGN_OR_RETURN(const cri::ImageStatusResponse status,
                     runtime_.ImageStatus({.image = cri::ImageSpec{.image = name}}));
    if (status.image) used.insert(status.image->id);
  }
  used.erase("");
  const std::string sandbox_image = SandboxImageOf(runtime_);
  std::vector<ListedImage> listed;
  for (const cri::Image& image : images.images) {
    const bool in_use = std::ranges::any_of(used, [&](const std::string& name) { return Names(image, name); });
    const bool is_pause = !sandbox_image.empty() && Names(image, sandbox_image);
    listed.push_back({.id = image.id,
                      .name = NameOf(image),
                      .size = image.size,
                      .in_use = in_use,
                      .pinned = image.pinned || is_pause});
  }
  ledger_.Observe(listed, now);
  return {};
}

Result<DiskUse> ImageGc::Use(std::string& mountpoint) {
  ASSIGN_OR_RETURN(const cri::ImageFsInfoResponse info, runtime_.ImageFsInfo({}));
  if (info.image_filesystems.empty() || !info.image_filesystems.front().fs_id) {
    return Fail(Code::kUnavailable, "the runtime does not tell where its images are");
  }
  mountpoint = info.image_filesystems.front().fs_id->mountpoint;
  ASSIGN_OR_RETURN(const DiskUse use, events_.disk_use(mountpoint));
  if (use.capacity == 0) return Fail(Code::kUnavailable, "invalid capacity 0 of the file system at {}", mountpoint);
  return use;
}

uint64_t ImageGc::Remove(const KnownImage& known, const std::string& reason) {
  const auto removed = runtime_.RemoveImage({.image = cri::ImageSpec{.image = known.image.id}});
  if (!removed) {
    base::LogWarning("image not removed",
                     {{"image", known.image.name}, {"id", known.image.id}, {"err", removed.error().message}});
    return 0;
  }
  base::LogInfo("image removed", {{"image", known.image.name},
                                  {"id", known.image.id},
                                  {"bytes", std::to_string(known.image.size)},
                                  {"reason", reason}});
  events_.on_removed(reason);
  ledger_.Forget(known.image.id);
  return known.image.size;
}

}  // namespace portcullis::node
