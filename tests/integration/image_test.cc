// Images and snapshots on the real kernel: overlay mounts over unpacked layers, and the stand-in images of
// scripts/build-images.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "runtime/image/image_store.h"
#include "runtime/image/snapshot.h"
#include "runtime/image/tar_for_test.h"
#include "spec/oci/digest.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

class ImageIntegration : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    dir_ = testing::TempDir() + "portcullis-image-it-" + base::RandomHex(6);
    ASSERT_TRUE(base::MakeDirs(dir_));
    auto store = ImageStore::Open({.state_dir = dir_ + "/state"});
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    snapshots_ = std::make_unique<Snapshots>(store_.get(), dir_ + "/run");
  }

  void TearDown() override {
    if (!snapshots_) return;
    auto left = snapshots_->List();
    ASSERT_TRUE(left);
    for (const Snapshot& snapshot : *left) EXPECT_TRUE(snapshots_->Remove(snapshot.id));
    const std::string mounts = base::ReadFile("/proc/self/mounts").value_or("");
    EXPECT_EQ(mounts.find(dir_), std::string::npos) << "a mount is left";
    EXPECT_TRUE(base::RemoveTree(dir_));
  }

  // A docker-archive of these layers, loaded.
  Image LoadLayers(const std::vector<std::string>& layers, const std::string& tag) {
    Json diff_ids = Json::array();
    Json paths = Json::array();
    TarBuilder tar;
    for (size_t i = 0; i < layers.size(); ++i) {
      diff_ids.push_back(oci::DigestOf(layers[i]));
      paths.push_back(std::to_string(i) + ".tar");
      tar.Add({.name = std::to_string(i) + ".tar", .content = layers[i]});
    }
    const Json config{{"os", "linux"}, {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}}};
    tar.Add({.name = "config.json", .content = config.dump()});
    const Json manifest = Json::array({{{"Config", "config.json"}, {"RepoTags", {tag}}, {"Layers", paths}}});
    tar.Add({.name = "manifest.json", .content = manifest.dump()});
    const std::string path = dir_ + "/" + base::RandomHex(4) + ".tar";
    EXPECT_TRUE(base::WriteFileAtomic(path, tar.Finish()));
    auto loaded = store_->Load(path, {});
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded && !loaded->empty() ? loaded->front() : Image{};
  }

  Snapshot Prepare(const std::string& id, const Image& image) {
    auto snapshot = snapshots_->Prepare(id, image);
    EXPECT_TRUE(snapshot) << snapshot.error().message;
    return snapshot.value_or(Snapshot{});
  }

  static std::string Read(const std::string& path) { return base::ReadFile(path).value_or("<none>"); }

  std::string dir_;
  std::unique_ptr<ImageStore> store_;
  std::unique_ptr<Snapshots> snapshots_;
};

std::string Layer(const std::vector<TarEntry>& entries) {
  TarBuilder tar;
  for (const TarEntry& entry : entries) tar.Add(entry);
  return tar.Finish();
}

TEST_F(ImageIntegration, LayersMergeWithWhiteoutsAndOpaqueFolders) {
  const Image image = LoadLayers({Layer({{.name = "keep", .content = "1"},
                                         {.name = "gone", .content = "1"},
                                         {.name = "over", .content = "old"},
                                         {.name = "hidden", .type = '5', .mode = 0755},
                                         {.name = "hidden/below", .content = "1"},
                                         {.name = "tree/a/b", .content = "1"},
                                         {.name = "anew/old", .content = "1"},
                                         {.name = "sticky", .type = '5', .mode = 01777, .uid = 5, .gid = 6}}),
                                  Layer({{.name = ".wh.gone"},
                                         {.name = "over", .content = "new"},
                                         {.name = "hidden", .type = '5', .mode = 0755},
                                         {.name = "hidden/.wh..wh..opq"},
                                         {.name = "hidden/above", .content = "2"},
                                         {.name = "tree/.wh.a"},
                                         {.name = ".wh.anew"},
                                         {.name = "anew/new", .content = "2"},
                                         {.name = "sticky/file", .content = "2"}})},
                                 "merged:1");
  const std::string rootfs = Prepare("one", image).rootfs;
  EXPECT_EQ(Read(rootfs + "/keep"), "1");
  EXPECT_EQ(Read(rootfs + "/over"), "new");
  EXPECT_FALSE(base::Exists(rootfs + "/gone"));
  EXPECT_EQ(base::ListDir(rootfs + "/hidden").value_or(std::vector<std::string>{}), std::vector<std::string>{"above"});
  EXPECT_TRUE(base::ListDir(rootfs + "/tree")->empty());
  EXPECT_EQ(base::ListDir(rootfs + "/anew").value_or(std::vector<std::string>{}), std::vector<std::string>{"new"});
  struct stat info{};
  ASSERT_EQ(::stat((rootfs + "/sticky").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 01777u);
  EXPECT_EQ(info.st_uid, 5u);
  EXPECT_EQ(Read(rootfs + "/sticky/file"), "2");
}

TEST_F(ImageIntegration, SnapshotsAreIndependentAndKeepTheirChangesOverAReboot) {
  const Image image = LoadLayers({Layer({{.name = "file", .content = "image"}})}, "app:1");
  const Snapshot one = Prepare("one", image);
  const Snapshot two = Prepare("two", image);
  EXPECT_TRUE(one.mounted);
  EXPECT_EQ(one.image_id, image.id);
  EXPECT_EQ(snapshots_->Prepare("one", image).error().code, Code::kAlreadyExists);
  ASSERT_TRUE(base::WriteFileAtomic(one.rootfs + "/file", "changed"));
  EXPECT_EQ(Read(two.rootfs + "/file"), "image");
  EXPECT_GT(snapshots_->Usage("one")->inodes, snapshots_->Usage("two")->inodes);

  ASSERT_EQ(::umount(one.rootfs.c_str()), 0);
  EXPECT_FALSE(snapshots_->Get("one")->mounted);
  EXPECT_EQ(snapshots_->List()->size(), 2u);
  auto again = snapshots_->Mount("one");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->mounted);
  EXPECT_EQ(Read(again->rootfs + "/file"), "changed");
  ASSERT_TRUE(snapshots_->Mount("one")) << "mounting the mounted is harmless";

  ASSERT_TRUE(snapshots_->Remove("one"));
  ASSERT_TRUE(snapshots_->Remove("one")) << "so is removing the removed";
  EXPECT_FALSE(base::Exists(one.rootfs));
  EXPECT_EQ(snapshots_->Get("one").error().code, Code::kNotFound);
  EXPECT_EQ(snapshots_->Mount("one").error().code, Code::kNotFound);
}

TEST_F(ImageIntegration, LayersStayAsLongAsASnapshotStandsOnThem) {
  const Image image = LoadLayers({Layer({{.name = "file", .content = "image"}})}, "app:1");
  const Snapshot snapshot = Prepare("one", image);
  ASSERT_TRUE(store_->Remove("app:1"));
  EXPECT_EQ(Read(snapshot.rootfs + "/file"), "image");
  ASSERT_EQ(::umount(snapshot.rootfs.c_str()), 0);
  auto again = snapshots_->Mount("one");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(Read(again->rootfs + "/file"), "image");
  ASSERT_TRUE(snapshots_->Remove("one"));
  ASSERT_TRUE(store_->CollectGarbage());
  EXPECT_FALSE(base::Exists(store_->LayerPath(image.chain_ids.front())));
}

TEST_F(ImageIntegration, ManyLayersFitOneMount) {
  std::vector<std::string> layers;
  for (int i = 0; i < 127; ++i)
    layers.push_back(Layer({{.name = "layer", .content = std::to_string(i)}, {.name = "f" + std::to_string(i)}}));
  const Snapshot snapshot = Prepare("deep", LoadLayers(layers, "deep:1"));
  EXPECT_EQ(Read(snapshot.rootfs + "/layer"), "126") << "the newest layer is on top";
  EXPECT_TRUE(base::Exists(snapshot.rootfs + "/f0"));
}

TEST_F(ImageIntegration, AnImageWithoutLayersIsAnEmptyFolder) {
  const Snapshot snapshot = Prepare("empty", LoadLayers({}, "empty:1"));
  EXPECT_TRUE(base::ListDir(snapshot.rootfs)->empty());
  EXPECT_TRUE(base::WriteFileAtomic(snapshot.rootfs + "/file", "x"));
}

TEST_F(ImageIntegration, AFailedPrepareLeavesNothing) {
  Image image = LoadLayers({Layer({{.name = "file", .content = "image"}})}, "app:1");
  image.chain_ids.push_back(oci::DigestOf("no such layer"));
  auto snapshot = snapshots_->Prepare("bad", image);
  ASSERT_FALSE(snapshot);
  EXPECT_TRUE(snapshots_->List()->empty());
  EXPECT_FALSE(base::Exists(dir_ + "/run/snapshots/bad"));
  EXPECT_EQ(snapshots_->Prepare("../bad", image).error().code, Code::kInvalidArgument);
}

// --- the images of scripts/build-images ---

std::string ImagesDir() {
  const char* dir = std::getenv("PORTCULLIS_TEST_IMAGES");
  return dir != nullptr ? dir : "/var/cache/portcullis/images";
}

struct StandIn {
  const char* archive;
  const char* reference;
  std::vector<std::string> command;  // run in the root file system: must end with 0
};

TEST_F(ImageIntegration, StandInImagesLoadAndRun) {
  const std::vector<StandIn> images = {
      {"nginx-1.21.tar", "nginx:1.21", {"/usr/sbin/nginx", "-v"}},
      {"redis-6.2.tar", "redis:6.2", {"/usr/bin/redis-server", "--version"}},
      {"busybox.tar", "busybox", {"/bin/sh", "-c", "ls / && /usr/local/bin/seccomp-probe --json"}},
      {"pause-3.10.tar", "registry.k8s.io/pause:3.10", {"/pause", "-v"}},
  };
  for (const StandIn& image : images) {
    const std::string archive = ImagesDir() + "/" + image.archive;
    if (!base::Exists(archive)) GTEST_SKIP() << archive << " is not built (scripts/build-images)";
    auto loaded = store_->Load(archive, {});
    ASSERT_TRUE(loaded) << loaded.error().message;
    auto found = store_->Get(image.reference);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(found->config.labels.contains("io.portcullis.stand-in")) << image.reference;
    EXPECT_EQ(found->pinned, std::string_view(image.reference).find("pause") != std::string_view::npos);
    EXPECT_LT(found->size, 20 << 20) << image.reference;

    const Snapshot snapshot = Prepare("run", *found);
    base::CommandOptions command;
    command.spawn.argv = {"chroot", snapshot.rootfs};
    command.spawn.argv.insert(command.spawn.argv.end(), image.command.begin(), image.command.end());
    auto ran = base::RunCommand(command);
    ASSERT_TRUE(ran) << ran.error().message;
    EXPECT_EQ(ran->exit_code, 0) << image.reference << ": " << ran->out << ran->err;
    ASSERT_TRUE(snapshots_->Remove("run"));
  }
}

}  // namespace
}  // namespace portcullis::runtime
