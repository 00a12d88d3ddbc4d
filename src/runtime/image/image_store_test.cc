#include "runtime/image/image_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/strings.h"
#include "runtime/image/tar_for_test.h"
#include "spec/oci/digest.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

// An image in memory, and its forms as archives.
struct TestImage {
  std::vector<std::string> layers;  // plain tars
  std::string architecture{oci::HostArchitecture()};
  std::string marker = "1";  // makes configs differ

  std::string Config() const {
    Json diff_ids = Json::array();
    for (const std::string& layer : layers) diff_ids.push_back(oci::DigestOf(layer));
    return Json{{"os", "linux"},
                {"architecture", architecture},
                {"config", {{"Cmd", {"/run"}}, {"User", "7"}, {"Labels", {{"marker", marker}}}}},
                {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}}}
        .dump();
  }
};

Json DescriptorOf(const std::string& bytes, std::string_view type) {
  return {{"mediaType", type}, {"digest", oci::DigestOf(bytes)}, {"size", bytes.size()}};
}

using Files = std::map<std::string, std::string>;  // path -> content

void AddBlob(Files& files, const std::string& bytes) {
  files["blobs/sha256/" + std::string(oci::DigestHex(oci::DigestOf(bytes)))] = bytes;
}

std::string AddOci(Files& files, const TestImage& image) {
  Json manifest{{"schemaVersion", 2},
                {"config", DescriptorOf(image.Config(), oci::media::kOciConfig)},
                {"layers", Json::array()}};
  AddBlob(files, image.Config());
  for (const std::string& layer : image.layers) {
    const std::string zipped = Compress(layer, Compression::kGzip);
    manifest["layers"].push_back(DescriptorOf(zipped, "application/vnd.oci.image.layer.v1.tar+gzip"));
    AddBlob(files, zipped);
  }
  AddBlob(files, manifest.dump());
  return manifest.dump();
}

Json Entry(const std::string& manifest, const std::string& name) {
  Json entry = DescriptorOf(manifest, oci::media::kOciManifest);
  if (!name.empty()) entry["annotations"]["org.opencontainers.image.ref.name"] = name;
  return entry;
}

void SetIndex(Files& files, const std::vector<Json>& entries) {
  files["oci-layout"] = R"({"imageLayoutVersion":"1.0.0"})";
  files["index.json"] = Json{{"schemaVersion", 2}, {"manifests", entries}}.dump();
}

std::string TarOf(const Files& files) {
  TarBuilder tar;
  for (const auto& [path, content] : files) tar.Add({.name = path, .content = content});
  return tar.Finish();
}

class ImageStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "portcullis-images-" + base::RandomHex(6);
    ASSERT_TRUE(base::MakeDirs(dir_));
    Reopen();
  }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(dir_)); }

  void Reopen() {
    auto store = ImageStore::Open({.state_dir = dir_ + "/state", .pinned = {"registry.k8s.io/pause:3.10"}});
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }

  std::string LayerTar(const std::string& name, const std::string& content) const {
    TarEntry entry{.name = name, .content = content};
    entry.uid = ::geteuid();
    entry.gid = ::getegid();
    return TarBuilder().Add(entry).Finish();
  }

  std::string Write(const std::string& name, const std::string& content) const {
    EXPECT_TRUE(base::WriteFileAtomic(dir_ + "/" + name, content));
    return dir_ + "/" + name;
  }

  std::string OciTar(const TestImage& image, const std::string& name) const {
    Files files;
    SetIndex(files, {Entry(AddOci(files, image), name)});
    return Write("image-" + base::RandomHex(4) + ".tar", TarOf(files));
  }

  Image LoadOne(const std::string& path, const std::string& name = "") {
    auto loaded = store_->Load(path, {.name = name, .progress = {}});
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded && loaded->size() == 1 ? loaded->front() : Image{};
  }

  size_t Count(const std::string& folder) const {
    return base::ListDir(dir_ + "/state/" + folder).value_or(std::vector<std::string>(99)).size();
  }
  bool StoreIsEmpty() const {
    return Count("blobs/sha256") == 0 && Count("layers") == 1 /* l */ && Count("layers/l") == 0 && Count("tmp") == 0;
  }

  std::string dir_;
  std::unique_ptr<ImageStore> store_;
};

TEST_F(ImageStoreTest, LoadsAnOciTar) {
  const TestImage image{.layers = {LayerTar("a", "1"), LayerTar("b", "2")}};
  const Image loaded = LoadOne(OciTar(image, "docker.io/library/app:1"));
  EXPECT_EQ(loaded.id, oci::DigestOf(image.Config()));
  EXPECT_EQ(loaded.repo_tags, std::vector<std::string>{"docker.io/library/app:1"});
  EXPECT_EQ(loaded.repo_digests, std::vector<std::string>{"docker.io/library/app@" + loaded.manifest_digest});
  EXPECT_EQ(loaded.config.cmd, std::vector<std::string>{"/run"});
  EXPECT_EQ(loaded.config.user, "7");
  EXPECT_FALSE(loaded.pinned);
  ASSERT_EQ(loaded.chain_ids.size(), 2u);
  EXPECT_EQ(base::ReadFile(store_->LayerPath(loaded.chain_ids[1]) + "/b").value_or(""), "2");
  EXPECT_GT(loaded.size, 0);
  EXPECT_GT(store_->Usage()->bytes, 0);
  EXPECT_EQ(Count("tmp"), 0u);
}

TEST_F(ImageStoreTest, LoadsAnOciFolder) {
  Files files;
  SetIndex(files, {Entry(AddOci(files, {.layers = {LayerTar("a", "1")}}), "app:1")});
  for (const auto& [path, content] : files) {
    ASSERT_TRUE(base::MakeDirs(dir_ + "/layout/blobs/sha256"));
    ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/layout/" + path, content));
  }
  EXPECT_EQ(LoadOne(dir_ + "/layout").repo_tags, std::vector<std::string>{"docker.io/library/app:1"});
}

TEST_F(ImageStoreTest, FindsByNameIdAndPrefix) {
  const Image loaded = LoadOne(OciTar({.layers = {LayerTar("a", "1")}}, "nginx:1.21"));
  const std::string hex(oci::DigestHex(loaded.id));
  for (const std::string& name :
       {std::string("nginx:1.21"), std::string("docker.io/library/nginx:1.21"), loaded.id, hex, hex.substr(0, 12),
        "sha256:" + hex.substr(0, 8), loaded.repo_digests.front(), "nginx:1.21@" + loaded.manifest_digest}) {
    auto found = store_->Get(name);
    ASSERT_TRUE(found) << name << ": " << found.error().message;
    EXPECT_EQ(found->id, loaded.id);
  }
  EXPECT_EQ(store_->Get("nginx").error().code, Code::kNotFound) << "latest is another tag";
  EXPECT_EQ(store_->Get("nginx@" + oci::DigestOf("x")).error().code, Code::kNotFound);
  EXPECT_EQ(store_->Get("Nginx").error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->Get("sha256:xyz").error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->Get("ffffffffffff").error().code, Code::kNotFound);
}

TEST_F(ImageStoreTest, PauseIsPinned) {
  EXPECT_TRUE(LoadOne(OciTar({.layers = {}}, "registry.k8s.io/pause:3.10")).pinned);
}

TEST_F(ImageStoreTest, TagOverridesTheArchivesName) {
  EXPECT_EQ(LoadOne(OciTar({.layers = {}}, ""), "mine:2").repo_tags,
            std::vector<std::string>{"docker.io/library/mine:2"});
  auto unnamed = store_->Load(OciTar({.layers = {}, .marker = "2"}, "latest"), {});
  ASSERT_FALSE(unnamed) << "a bare tag names no repository";
  EXPECT_NE(unnamed.error().message.find("--name"), std::string::npos) << unnamed.error().message;
  EXPECT_FALSE(store_->Load(OciTar({.layers = {}}, "a:1"), {.name = "Bad Name", .progress = {}}));
}

TEST_F(ImageStoreTest, SeveralImagesOfOneArchive) {
  Files files;
  const std::string one = AddOci(files, {.layers = {LayerTar("a", "1")}, .marker = "1"});
  const std::string two = AddOci(files, {.layers = {LayerTar("a", "1")}, .marker = "2"});
  SetIndex(files, {Entry(one, "one:1"), Entry(two, "two:1"), Entry(one, "also-one:1")});
  const std::string path = Write("many.tar", TarOf(files));
  EXPECT_FALSE(store_->Load(path, {.name = "x", .progress = {}})) << "--name cannot name two";
  auto loaded = store_->Load(path, {});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->size(), 2u);
  EXPECT_EQ(store_->Get("one:1")->repo_tags.size(), 2u);
}

TEST_F(ImageStoreTest, ChoosesThisHostsPlatform) {
  Files files;
  const std::string foreign = AddOci(files, {.layers = {}, .architecture = "foreign"});
  const std::string own = AddOci(files, {.layers = {}});
  Json foreign_entry = Entry(foreign, "");
  foreign_entry["platform"] = {{"os", "linux"}, {"architecture", "foreign"}};
  Json own_entry = Entry(own, "");
  own_entry["platform"] = {{"os", "linux"}, {"architecture", oci::HostArchitecture()}};
  const std::string index =
      Json{{"schemaVersion", 2}, {"mediaType", oci::media::kOciIndex}, {"manifests", {foreign_entry, own_entry}}}
          .dump();
  AddBlob(files, index);
  Json top = DescriptorOf(index, oci::media::kOciIndex);
  top["annotations"]["org.opencontainers.image.ref.name"] = "multi:1";
  SetIndex(files, {top});
  const Image image = LoadOne(Write("multi.tar", TarOf(files)));
  EXPECT_EQ(image.manifest_digest, oci::DigestOf(own));
  EXPECT_EQ(image.repo_digests.front(), "docker.io/library/multi@" + oci::DigestOf(index));

  auto wrong = store_->Load(OciTar({.layers = {}, .architecture = "foreign"}, "f:1"), {});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("linux/foreign"), std::string::npos) << wrong.error().message;
}

TEST_F(ImageStoreTest, LoadsADockerArchive) {
  const TestImage image{.layers = {LayerTar("a", "1"), LayerTar("b", "2"), LayerTar("a", "1")}};
  Files files{{"cafe.json", image.Config()}, {"l1/layer.tar", image.layers[0]}, {"l2/layer.tar", image.layers[1]}};
  files["manifest.json"] = Json{{{"Config", "cafe.json"},
                                 {"RepoTags", {"app:1", "localhost:5000/app:2"}},
                                 {"Layers", {"l1/layer.tar", "l2/layer.tar", "l3/layer.tar"}}}}
                               .dump();
  TarBuilder tar;
  tar.Add({.name = "l3/layer.tar", .type = '2', .link = "../l1/layer.tar"});
  for (const auto& [path, content] : files) tar.Add({.name = path, .content = content});
  const Image loaded = LoadOne(Write("docker.tar", Compress(tar.Finish(), Compression::kGzip)));
  EXPECT_EQ(loaded.id, oci::DigestOf(image.Config()));
  EXPECT_EQ(loaded.repo_tags, (std::vector<std::string>{"docker.io/library/app:1", "localhost:5000/app:2"}));
  EXPECT_EQ(loaded.chain_ids.size(), 3u);
}

TEST_F(ImageStoreTest, RefusedArchivesLeaveNothing) {
  const TestImage image{.layers = {LayerTar("a", "1")}};
  Files good;
  const std::string manifest = AddOci(good, image);
  SetIndex(good, {Entry(manifest, "app:1")});
  const std::string layer_path =
      "blobs/sha256/" + std::string(oci::DigestHex(oci::DigestOf(Compress(image.layers[0], Compression::kGzip))));
  const auto without = [&](const std::string& path) {
    Files files = good;
    files.erase(path);
    return files;
  };
  const auto with = [&](const std::string& path, const std::string& content) {
    Files files = good;
    files[path] = content;
    return files;
  };
  Files wrong_diff;
  Json config = Json::parse(image.Config());
  config["rootfs"]["diff_ids"][0] = oci::DigestOf("other");
  Json bad_manifest = Json::parse(manifest);
  bad_manifest["config"] = DescriptorOf(config.dump(), oci::media::kOciConfig);
  AddBlob(wrong_diff, config.dump());
  AddBlob(wrong_diff, bad_manifest.dump());
  AddBlob(wrong_diff, Compress(image.layers[0], Compression::kGzip));
  SetIndex(wrong_diff, {Entry(bad_manifest.dump(), "app:1")});

  const std::vector<std::pair<const char*, std::string>> cases = {
      {"no index", TarOf(without("index.json"))},
      {"layer missing", TarOf(without(layer_path))},
      {"layer changed", TarOf(with(layer_path, Compress(LayerTar("a", "evil"), Compression::kGzip)))},
      {"manifest changed",
       TarOf(with("blobs/sha256/" + std::string(oci::DigestHex(oci::DigestOf(manifest))), manifest + " "))},
      {"empty index", TarOf(with("index.json", R"({"schemaVersion":2,"manifests":[]})"))},
      {"wrong diff id", TarOf(wrong_diff)},
      {"not a tar", "hello"},
      {"empty", ""},
  };
  for (const auto& [name, bytes] : cases) {
    EXPECT_FALSE(store_->Load(Write("bad.tar", bytes), {})) << name;
    EXPECT_TRUE(store_->List()->empty()) << name;
    EXPECT_TRUE(StoreIsEmpty()) << name;
  }
  EXPECT_EQ(store_->Load(dir_ + "/absent.tar", {}).error().code, Code::kNotFound);
}

TEST_F(ImageStoreTest, AMovedTagLeavesTheOldImageUnderItsDigest) {
  const Image old = LoadOne(OciTar({.layers = {LayerTar("a", "1")}, .marker = "old"}, "app:1"));
  const Image fresh = LoadOne(OciTar({.layers = {LayerTar("a", "1")}, .marker = "new"}, "app:1"));
  EXPECT_EQ(store_->Get("app:1")->id, fresh.id);
  auto kept = store_->Get(old.id);
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->repo_tags.empty());
  EXPECT_EQ(kept->repo_digests, old.repo_digests);
}

TEST_F(ImageStoreTest, RemovingByTagUntagsFirst) {
  const std::string path = OciTar({.layers = {LayerTar("a", "1")}}, "app:1");
  LoadOne(path);
  const Image image = LoadOne(path, "other:1");
  ASSERT_EQ(image.repo_tags.size(), 2u);
  auto first = store_->Remove("app:1");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_FALSE(first->image_removed);
  EXPECT_EQ(store_->Get(image.id)->repo_tags, std::vector<std::string>{"docker.io/library/other:1"});
  EXPECT_EQ(store_->Get(image.id)->repo_digests.size(), 1u);
  auto second = store_->Remove("other:1");
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->image_removed);
  EXPECT_TRUE(StoreIsEmpty());
  EXPECT_EQ(store_->Remove("other:1").error().code, Code::kNotFound);
}

TEST_F(ImageStoreTest, RemovingByIdTakesAllNames) {
  const std::string path = OciTar({.layers = {LayerTar("a", "1")}}, "app:1");
  LoadOne(path, "other:1");
  const Image image = LoadOne(path);
  auto removed = store_->Remove(image.id.substr(7, 12));
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_TRUE(removed->image_removed);
  EXPECT_EQ(removed->references.size(), 4u);
  EXPECT_TRUE(StoreIsEmpty());
}

TEST_F(ImageStoreTest, SharedLayersOutliveOneImage) {
  const std::string base_layer = LayerTar("a", "1");
  LoadOne(OciTar({.layers = {base_layer, LayerTar("b", "1")}}, "one:1"));
  const Image two = LoadOne(OciTar({.layers = {base_layer, LayerTar("c", "1")}}, "two:1"));
  ASSERT_TRUE(store_->Remove("one:1"));
  for (const std::string& chain : two.chain_ids) EXPECT_TRUE(base::Exists(store_->LayerPath(chain)));
  EXPECT_EQ(Count("layers"), 3u);  // two layers, l
}

TEST_F(ImageStoreTest, OpeningRemovesWhatACrashLeft) {
  LoadOne(OciTar({.layers = {LayerTar("a", "1")}}, "app:1"));
  const size_t blobs = Count("blobs/sha256");
  ASSERT_TRUE(base::MakeDirs(dir_ + "/state/tmp/half/layer/fs"));
  ASSERT_TRUE(base::MakeDirs(dir_ + "/state/layers/" + std::string(64, '0') + "/fs"));
  ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/state/blobs/sha256/" + std::string(64, '0'), "orphan"));
  ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/state/images/x.json.tmp-0123456789ab", "{"));
  Reopen();
  EXPECT_EQ(Count("tmp"), 0u);
  EXPECT_EQ(Count("layers"), 2u);
  EXPECT_EQ(Count("blobs/sha256"), blobs);
  EXPECT_FALSE(base::Exists(dir_ + "/state/images/x.json.tmp-0123456789ab"));
  EXPECT_TRUE(store_->Get("app:1"));
}

TEST_F(ImageStoreTest, ADamagedRecordHidesOnlyItself) {
  LoadOne(OciTar({.layers = {}}, "app:1"));
  ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/state/images/" + std::string(64, '0') + ".json", "not json"));
  EXPECT_EQ(store_->List()->size(), 1u);
}

// ELOOP stands for any trouble that may be over the next time (EMFILE, EIO, ENOMEM).
TEST_F(ImageStoreTest, WhatCannotBeReadNowKeepsEverything) {
  const Image image = LoadOne(OciTar({.layers = {LayerTar("a", "1")}}, "app:1"));
  const auto swap = [](const std::string& path, const auto& meanwhile) {
    const std::string away = path + ".away";
    ASSERT_EQ(::rename(path.c_str(), away.c_str()), 0);
    ASSERT_EQ(::symlink(path.c_str(), path.c_str()), 0);
    meanwhile();
    ASSERT_EQ(::rename(away.c_str(), path.c_str()), 0);
  };
  const std::string state = dir_ + "/state";
  const size_t blobs = Count("blobs/sha256");
  const auto records = base::ListDir(state + "/images");
  ASSERT_TRUE(records);
  for (const std::string& record : *records) {
    if (!record.ends_with(".json")) continue;
    swap(state + "/images/" + record, [&] { EXPECT_FALSE(store_->CollectGarbage()) << record; });
  }
  const std::string manifest = state + "/blobs/sha256/" + std::string(oci::DigestHex(image.manifest_digest));
  swap(manifest, [&] {
    EXPECT_FALSE(store_->CollectGarbage());
    Reopen();
    EXPECT_TRUE(store_) << "the node comes up all the same";
  });
  EXPECT_EQ(Count("blobs/sha256"), blobs);

  // The image is gone, a container still runs on its layers.
  ASSERT_TRUE(base::MakeDirs(state + "/snapshots/c"));
  const std::string record = state + "/snapshots/c/snapshot.json";
  ASSERT_TRUE(base::WriteFileAtomic(record, Json{{"imageId", image.id}, {"layers", image.chain_ids}}.dump()));
  swap(record, [&] {
    auto removed = store_->Remove("app:1");
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_TRUE(removed->image_removed);
    EXPECT_TRUE(base::Exists(store_->LayerPath(image.chain_ids[0]) + "/a"));
  });
  ASSERT_TRUE(store_->CollectGarbage());
  EXPECT_EQ(Count("blobs/sha256"), 0u);
  EXPECT_TRUE(base::Exists(store_->LayerPath(image.chain_ids[0]) + "/a")) << "the snapshot leads to it";
  ASSERT_TRUE(base::RemoveTree(state + "/snapshots/c"));
  ASSERT_TRUE(store_->CollectGarbage());
  EXPECT_TRUE(StoreIsEmpty());
}

TEST_F(ImageStoreTest, LoadingAgainRepairsDamagedBlobs) {
  const TestImage image{.layers = {LayerTar("a", "1")}};
  const std::string path = OciTar(image, "app:1");
  LoadOne(path);
  const auto names = base::ListDir(dir_ + "/state/blobs/sha256");
  ASSERT_TRUE(names);
  ASSERT_EQ(names->size(), 3u);
  for (const std::string& name : *names) {
    const std::string blob = dir_ + "/state/blobs/sha256/" + name;
    const std::string whole = base::ReadFile(blob).value_or("");
    std::string changed = whole;
    changed[changed.size() / 2] ^= 1;
    for (const std::string& damaged : {changed, whole.substr(1), std::string()}) {
      ASSERT_TRUE(base::WriteFileAtomic(blob, damaged));
      LoadOne(path);
      EXPECT_EQ(base::ReadFile(blob).value_or(""), whole) << name;
      EXPECT_TRUE(store_->Get("app:1"));
    }
  }
}

TEST_F(ImageStoreTest, TheLastNameMayBeRefused) {
  const std::string path = OciTar({.layers = {}}, "app:1");
  const Image image = LoadOne(path);
  LoadOne(path, "other:1");
  const auto in_use = [&](const std::string& id) -> Result<void> {
    EXPECT_EQ(id, image.id);
    return Fail(Code::kFailedPrecondition, "in use");
  };
  EXPECT_FALSE(store_->Remove(image.id, in_use)) << "takes all names";
  EXPECT_EQ(store_->Get(image.id)->repo_tags.size(), 2u);
  EXPECT_TRUE(store_->Remove("app:1", in_use)) << "the other name keeps it";
  EXPECT_EQ(store_->Remove("other:1", in_use).error().message, "in use");
  EXPECT_TRUE(store_->Get("other:1"));
}

TEST_F(ImageStoreTest, StateFolderMustSuitOverlayfs) {
  EXPECT_FALSE(ImageStore::Open({.state_dir = "relative"}));
  EXPECT_FALSE(ImageStore::Open({.state_dir = dir_ + "/a,b"}));
}

}  // namespace
}  // namespace portcullis::runtime
