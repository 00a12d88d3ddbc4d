#include "node/image/gc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cri/runtime_api.h"

namespace portcullis::node {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Images in memory; removing one makes the disk emptier.
class Images : public cri::RuntimeApi {
 public:
  void Add(const std::string& id, const std::string& name, uint64_t size, bool pinned = false) {
    images.push_back({.id = id, .repo_tags = {name}, .size = size, .pinned = pinned});
  }

  Result<cri::ListImagesResponse> ListImages(const cri::ListImagesRequest&) override {
    return cri::ListImagesResponse{.images = images};
  }
  Result<cri::ImageStatusResponse> ImageStatus(const cri::ImageStatusRequest& request) override {
    cri::ImageStatusResponse response;
    for (const cri::Image& image : images) {
      // As runtimes do: "nginx:latest" is docker.io's.
      if (image.repo_tags.front().ends_with("/" + request.image->image)) response.image = image;
    }
    return response;
  }
  Result<cri::ListContainersResponse> ListContainers(const cri::ListContainersRequest&) override {
    return cri::ListContainersResponse{.containers = containers};
  }
  Result<cri::StatusResponse> Status(const cri::StatusRequest&) override {
    return cri::StatusResponse{.info = status_info};
  }
  Result<cri::ImageFsInfoResponse> ImageFsInfo(const cri::ImageFsInfoRequest&) override {
    cri::ImageFsInfoResponse response;
    response.image_filesystems.emplace_back().fs_id = cri::FilesystemIdentifier{.mountpoint = "/images"};
    return response;
  }
  Result<cri::RemoveImageResponse> RemoveImage(const cri::RemoveImageRequest& request) override {
    if (request.image->image == stuck) return Fail(Code::kUnavailable, "it is stuck");
    std::erase_if(images, [&](const cri::Image& image) {
      if (image.id != request.image->image) return false;
      use.available += image.size;
      return true;
    });
    removed.push_back(request.image->image);
    return cri::RemoveImageResponse{};
  }

  std::vector<cri::Image> images;
  std::vector<cri::Container> containers;
  std::map<std::string, std::string> status_info;
  std::string stuck;
  std::vector<std::string> removed;
  DiskUse use{.capacity = 1000, .available = 100};
};

class ImageGcTest : public testing::Test {
 protected:
  ImageGc Make(ImageGcPolicy policy = {}) {
    return {policy, runtime_,
            ImageGcEvents{.wanted_images = [this] { return wanted_; },
                          .on_removed = [this](const std::string& why) { reasons_.push_back(why); },
                          .disk_use = [this](const std::string& at) -> Result<DiskUse> {
                            EXPECT_EQ(at, "/images");
                            return runtime_.use;
                          }}};
  }

  const GcTime now_ = GcTime() + hours(1000);
  Images runtime_;
  std::set<std::string> wanted_;
  std::vector<std::string> reasons_;
};

TEST_F(ImageGcTest, RemovesWhatNobodyUsesUntilThereIsRoom) {
  runtime_.Add("sha256:1", "docker.io/library/one:1", 60);
  runtime_.Add("sha256:2", "docker.io/library/two:1", 60);
  runtime_.Add("sha256:3", "docker.io/library/three:1", 60);
  ASSERT_TRUE(Make().Collect(now_));
  EXPECT_THAT(runtime_.removed, ElementsAre("sha256:1", "sha256:2")) << "200 must be available, so two will do";
  EXPECT_THAT(reasons_, ElementsAre("space", "space"));
}

TEST_F(ImageGcTest, LeavesWhatIsUsedWantedOrPinned) {
  runtime_.Add("sha256:id", "docker.io/library/by-id:1", 10);
  runtime_.Add("sha256:ref", "docker.io/library/by-ref:1", 10);
  runtime_.Add("sha256:name", "docker.io/library/by-name:1", 10);
  runtime_.Add("sha256:wanted", "docker.io/library/nginx:latest", 10);
  runtime_.Add("sha256:pinned", "registry.k8s.io/pause:3.10", 10, /*pinned=*/true);
  runtime_.Add("sha256:pause", "registry.k8s.io/pause:3.6", 10);
  runtime_.Add("sha256:free", "docker.io/library/free:1", 10);
  runtime_.containers = {{.state = cri::ContainerState::kContainerExited, .image_id = "sha256:id"},
                         {.image_ref = "sha256:ref"},
                         {.image = cri::ImageSpec{.image = "docker.io/library/by-name:1"}}};
  runtime_.status_info["config"] = R"({"sandboxImage": "registry.k8s.io/pause:3.6"})";
  wanted_ = {"nginx:latest"};
  const auto collected = Make().Collect(now_);
  EXPECT_THAT(runtime_.removed, ElementsAre("sha256:free"));
  ASSERT_FALSE(collected);
  EXPECT_EQ(collected.error().code, Code::kResourceExhausted);
  EXPECT_EQ(collected.error().message,
            "/images is 90 % full, and the unused images there are have 10 of the 100 bytes that should go");
}

TEST_F(ImageGcTest, DoesNothingBelowTheThreshold) {
  runtime_.Add("sha256:1", "one:1", 60);
  runtime_.use.available = 500;
  ASSERT_TRUE(Make().Collect(now_));
  EXPECT_THAT(runtime_.removed, IsEmpty());
}

TEST_F(ImageGcTest, OneThatCannotBeRemovedIsNoObstacle) {
  runtime_.Add("sha256:1", "one:1", 200);
  runtime_.Add("sha256:2", "two:1", 200);
  runtime_.stuck = "sha256:1";
  ASSERT_TRUE(Make().Collect(now_));
  EXPECT_THAT(runtime_.removed, ElementsAre("sha256:2"));
}

TEST_F(ImageGcTest, ByAgeWhateverTheDisk) {
  runtime_.Add("sha256:1", "one:1", 60);
  runtime_.use.available = 900;
  ImageGc gc = Make({.high_percent = 100, .max_age = hours(2)});
  ASSERT_TRUE(gc.Collect(now_));
  EXPECT_THAT(runtime_.removed, IsEmpty());
  ASSERT_TRUE(gc.Collect(now_ + hours(3)));
  EXPECT_THAT(runtime_.removed, ElementsAre("sha256:1"));
  EXPECT_THAT(reasons_, ElementsAre("age"));
}

TEST_F(ImageGcTest, AThreadOfItsOwn) {
  runtime_.Add("sha256:1", "one:1", 200);
  {
    ImageGc off = Make({.high_percent = 100});
    off.Start();
  }
  EXPECT_THAT(runtime_.removed, IsEmpty());
  std::atomic<bool> removed = false;
  ImageGc gc({}, runtime_,
             {.on_removed = [&](const std::string&) { removed = true; },
              .disk_use = [this](const std::string&) -> Result<DiskUse> { return runtime_.use; }});
  gc.Start();
  while (!removed) std::this_thread::yield();
  gc.Stop();
  EXPECT_THAT(runtime_.removed, ElementsAre("sha256:1"));
}

}  // namespace
}  // namespace portcullis::node
