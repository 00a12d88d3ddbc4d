#include "runtime/service/image_messages.h"

#include <gtest/gtest.h>

namespace portcullis::runtime {
namespace {

Image Nginx() {
  Image image;
  image.id = "sha256:" + std::string(64, 'a');
  image.repo_tags = {"docker.io/library/nginx:1.21", "example.org/web:v1"};
  image.repo_digests = {"docker.io/library/nginx@sha256:" + std::string(64, 'd')};
  return image;
}

std::string Shown(const std::string& in_manifest, const Image& image = Nginx()) {
  return ShownName({.image = image.id, .user_specified_image = in_manifest}, image);
}

TEST(ShownNameTest, TheNameInTheManifest) {
  EXPECT_EQ(Shown("example.org/web:v1"), "example.org/web:v1");
  EXPECT_EQ(Shown("nginx:1.21"), "docker.io/library/nginx:1.21");
  EXPECT_EQ(Shown(Nginx().repo_digests[0]), Nginx().repo_digests[0]);
}

TEST(ShownNameTest, WithoutOneTheImagesFirst) {
  for (const char* in_manifest : {"", "gone:1", "not a name"}) {
    EXPECT_EQ(Shown(in_manifest), "docker.io/library/nginx:1.21") << in_manifest;
  }
  Image untagged = Nginx();
  untagged.repo_tags.clear();
  EXPECT_EQ(Shown("nginx:1.21", untagged), untagged.repo_digests[0]);
  untagged.repo_digests.clear();
  EXPECT_EQ(Shown("nginx:1.21", untagged), untagged.id);
}

TEST(ShownNameTest, IdsAreWrittenWithTheirAlgorithm) {
  EXPECT_TRUE(IsImageId(Nginx().id));
  EXPECT_FALSE(IsImageId("nginx"));
  EXPECT_FALSE(IsImageId("abcd"));
}

}  // namespace
}  // namespace portcullis::runtime
