#include "node/source/static_pod_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

namespace portcullis::node {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000'000;

std::string Manifest(const std::string& name, const std::string& image = "i:1") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n  containers:\n  - {name: c, image: \"" +
         image + "\"}\n";
}

class SourceTest : public ::testing::Test {
 protected:
  SourceTest()
      : dir_(std::filesystem::temp_directory_path().string() + "/source-" + std::to_string(::getpid())),
        manifests_(dir_ + "/manifests") {
    fs::create_directories(manifests_);
  }
  ~SourceTest() override { fs::remove_all(dir_); }
  void Write(const std::string& name, const std::string& text) { std::ofstream(manifests_ + "/" + name) << text; }
  static std::vector<std::string> Names(const SourceUpdate& update) {
    std::vector<std::string> out;
    for (const SourcePod& item : update.pods)
      out.push_back(item.pod->metadata.name + ":" + item.pod->spec.containers[0].image);
    return out;
  }
  std::string dir_;
  std::string manifests_;
};

class StoreTest : public SourceTest {
 protected:
  bool Scan(bool periodic = false) {
    return store_.Scan({.path = manifests_, .node_name = "n1", .now = now_, .periodic = periodic});
  }
  std::vector<std::string> Pods() { return Names(store_.update()); }
  ManifestStore store_;
  int64_t now_ = kSecond;
};

TEST_F(StoreTest, ReadsEveryFileWhoseNameDoesNotBeginWithADot) {
  Write("b.txt", Manifest("two"));
  Write("a.yaml~", Manifest("one"));
  Write(".hidden.yaml", Manifest("hidden"));
  fs::create_directories(manifests_ + "/sub");
  std::ofstream(manifests_ + "/sub/c.yaml") << Manifest("three");
  std::ofstream(dir_ + "/linked.yaml") << Manifest("four");
  fs::create_symlink(dir_ + "/linked.yaml", manifests_ + "/z");
  EXPECT_TRUE(Scan());
  EXPECT_THAT(Pods(), ElementsAre("one-n1:i:1", "two-n1:i:1", "four-n1:i:1"));
  EXPECT_THAT(store_.update().problems, IsEmpty());
  EXPECT_FALSE(Scan());
}

TEST_F(StoreTest, ABadManifestHarmsNoOther) {
  Write("a.yaml", "kind: Pod\n  nonsense: [\n");
  Write("b.yaml", Manifest("good"));
  Write("c.yaml", "apiVersion: v1\nkind: PodList\nitems: []\n");
  Scan();
  EXPECT_THAT(Pods(), ElementsAre("good-n1:i:1"));
  ASSERT_EQ(store_.update().problems.size(), 2u);
  EXPECT_EQ(store_.update().problems[0].file, manifests_ + "/a.yaml");
  EXPECT_FALSE(store_.update().problems[0].error.empty());
  EXPECT_EQ(store_.update().problems[1].file, manifests_ + "/c.yaml");
}

TEST_F(StoreTest, KeepsTheOldPodOfAFileGoneBadUntilAPeriodicListing) {
  Write("a.yaml", Manifest("one"));
  Scan();
  Write("a.yaml", "kind: [");
  EXPECT_TRUE(Scan());
  EXPECT_THAT(Pods(), ElementsAre("one-n1:i:1"));
  ASSERT_EQ(store_.update().problems.size(), 1u);
  EXPECT_TRUE(store_.update().problems[0].kept);
  EXPECT_FALSE(Scan(true)) << "it has only just become bad";
  now_ += 2 * kSecond;
  EXPECT_TRUE(Scan(true));
  EXPECT_THAT(Pods(), IsEmpty());
  EXPECT_FALSE(store_.update().problems[0].kept);
  Write("a.yaml", Manifest("one", "i:2"));
  EXPECT_TRUE(Scan());
  EXPECT_THAT(Pods(), ElementsAre("one-n1:i:2"));
  EXPECT_THAT(store_.update().problems, IsEmpty());
}

TEST_F(StoreTest, AnEditMakesANewPodAndATouchDoesNot) {
  Write("a.yaml", Manifest("one"));
  Scan();
  auto first = store_.update().pods[0].pod;
  fs::last_write_time(manifests_ + "/a.yaml", fs::file_time_type::clock::now() + std::chrono::seconds(5));
  EXPECT_FALSE(Scan());
  EXPECT_EQ(store_.update().pods[0].pod, first);
  Write("a.yaml", Manifest("one", "i:2"));
  EXPECT_TRUE(Scan());
  EXPECT_NE(store_.update().pods[0].pod->metadata.uid, first->metadata.uid);
}

TEST_F(StoreTest, OfTwoPodsWithOneNameTheSecondIsReported) {
  Write("a.yaml", Manifest("same", "i:1"));
  Write("b.yaml", Manifest("same", "i:2"));
  Scan();
  EXPECT_THAT(Pods(), ElementsAre("same-n1:i:1"));
  ASSERT_EQ(store_.update().problems.size(), 1u);
  EXPECT_THAT(store_.update().problems[0].error, HasSubstr("a.yaml has a pod with the same name"));
  fs::remove(manifests_ + "/a.yaml");
  Scan();
  EXPECT_THAT(Pods(), ElementsAre("same-n1:i:2"));
}

TEST_F(StoreTest, OfTwoPodsWithOneUidTheSecondIsReported) {
  for (const char* name : {"a", "b"}) {
    std::string text = Manifest(name);
    text.replace(text.find("{name"), 1, "{uid: one, ");
    Write(name, text);
  }
  Scan();
  EXPECT_THAT(Pods(), ElementsAre("a-n1:i:1"));
  ASSERT_EQ(store_.update().problems.size(), 1u);
  EXPECT_THAT(store_.update().problems[0].error, HasSubstr("has a pod with the same uid"));
}

TEST_F(StoreTest, RefusesWhatIsTooLarge) {
  Write("a.yaml", Manifest("one") + "#" + std::string(10u << 20, 'x'));
  Scan();
  EXPECT_THAT(Pods(), IsEmpty());
  EXPECT_EQ(store_.update().problems.size(), 1u);
}

TEST_F(StoreTest, TakesASingleFileAndAMissingPath) {
  std::string file = dir_ + "/pod.yaml";
  EXPECT_TRUE(store_.Scan({.path = file, .node_name = "n1", .now = now_})) << "the first scan always reports";
  EXPECT_THAT(Pods(), IsEmpty());
  std::ofstream(file) << Manifest("one");
  EXPECT_TRUE(store_.Scan({.path = file, .node_name = "n1", .now = now_}));
  EXPECT_THAT(Pods(), ElementsAre("one-n1:i:1"));
  fs::remove(file);
  EXPECT_TRUE(store_.Scan({.path = file, .node_name = "n1", .now = now_}));
  EXPECT_THAT(Pods(), IsEmpty());
}

class WatchTest : public SourceTest {
 protected:
  void Start(const std::string& path) {
    source_ = std::make_unique<StaticPodSource>(StaticPodSourceOptions{.path = path,
                                                                       .node_name = "n1",
                                                                       .check_frequency = std::chrono::seconds(60),
                                                                       .watch_check = milliseconds(50)},
                                                [this](SourceUpdate update) {
                                                  std::lock_guard<std::mutex> lock(mutex_);
                                                  names_ = Names(update);
                                                  ++updates_;
                                                  empty_updates_ += names_.empty() ? 1 : 0;
                                                  changed_.notify_all();
                                                });
    auto started = source_->Start();
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }
  // Within a second, as promised.
  bool Becomes(const std::vector<std::string>& names) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(1), [&] { return updates_ > 0 && names_ == names; });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> names_;
  int updates_ = 0;
  int empty_updates_ = 0;
  std::unique_ptr<StaticPodSource> source_;
};

TEST_F(WatchTest, SeesAdditionChangeReplacementAndRemoval) {
  Start(manifests_ + "/");
  EXPECT_TRUE(Becomes({}));
  Write("a.yaml", Manifest("one"));
  EXPECT_TRUE(Becomes({"one-n1:i:1"}));
  Write("a.yaml", Manifest("one", "i:2"));
  EXPECT_TRUE(Becomes({"one-n1:i:2"}));
  std::ofstream(dir_ + "/new") << Manifest("one", "i:3");
  fs::rename(dir_ + "/new", manifests_ + "/a.yaml");
  EXPECT_TRUE(Becomes({"one-n1:i:3"}));
  Write("a.yaml", "half");
  Write("b.yaml", Manifest("two"));
  EXPECT_TRUE(Becomes({"one-n1:i:3", "two-n1:i:1"}));
  fs::remove(manifests_ + "/a.yaml");
  EXPECT_TRUE(Becomes({"two-n1:i:1"}));
}

TEST_F(WatchTest, WaitsForAFileThatIsBeingWritten) {
  Start(manifests_);
  EXPECT_TRUE(Becomes({}));
  {
    std::ofstream slow(manifests_ + "/a.yaml");
    slow << Manifest("one").substr(
        0, 40);  // a valid beginning of a file may be a valid file: only its end says that it is whole
    slow.flush();
    std::unique_lock<std::mutex> lock(mutex_);
    EXPECT_FALSE(changed_.wait_for(lock, milliseconds(150), [&] { return updates_ > 1; }));
    slow << Manifest("one").substr(40);
  }
  EXPECT_TRUE(Becomes({"one-n1:i:1"}));
  EXPECT_EQ(updates_, 2);
}

TEST_F(WatchTest, PicksUpAFolderThatAppearsGoesAndComesBack) {
  fs::remove_all(manifests_);
  Start(manifests_);
  EXPECT_TRUE(Becomes({}));
  for (int round = 0; round < 2; ++round) {
    fs::create_directories(manifests_);
    Write("a.yaml", Manifest("one"));
    EXPECT_TRUE(Becomes({"one-n1:i:1"}));
    fs::remove_all(manifests_);
    EXPECT_TRUE(Becomes({}));
  }
}

// The folder, one above it, or a link to it is swapped for another: what happens in the new one is seen at once.
TEST_F(WatchTest, FollowsASwap) {
  const struct {
    const char* name;
    std::string path;    // what is given to the source
    std::string live;    // what is swapped ...
    std::string inside;  // ... and the manifests' place in it
    bool link;
  } swaps[] = {{"folder", dir_ + "/a/manifests", dir_ + "/a/manifests", "", false},
               {"folder above", dir_ + "/b/manifests", dir_ + "/b", "/manifests", false},
               {"link", dir_ + "/c", dir_ + "/c", "", true}};
  for (const auto& swap : swaps) {
    SCOPED_TRACE(swap.name);
    const std::string first = swap.link ? swap.live + "-first" : swap.live;
    const std::string second = swap.live + "-second";
    fs::create_directories(first + swap.inside);
    fs::create_directories(second + swap.inside);
    if (swap.link) fs::create_directory_symlink(first, swap.live);
    std::ofstream(swap.path + "/p.yaml") << Manifest("one");
    std::ofstream(second + swap.inside + "/p.yaml") << Manifest("two");
    Start(swap.path);
    EXPECT_TRUE(Becomes({"one-n1:i:1"}));
    if (swap.link) {
      fs::create_directory_symlink(second, swap.live + "-new");
      fs::rename(swap.live + "-new", swap.live);
    } else {
      fs::rename(swap.live, swap.live + "-gone");
      fs::rename(second, swap.live);
    }
    EXPECT_TRUE(Becomes({"two-n1:i:1"}));
    std::ofstream(swap.path + "/q.yaml") << Manifest("three");
    EXPECT_TRUE(Becomes({"two-n1:i:1", "three-n1:i:1"}));
    source_.reset();
  }
  EXPECT_EQ(empty_updates_, 0) << "half a swap is not taken for the end of all pods";
}

// A folder that may be passed but not read cannot be watched; its file is looked at all the same.
TEST_F(WatchTest, LooksAgainAndAgainWhileNothingCanBeWatched) {
  constexpr uid_t kNobody = 65534;
  Write("a.yaml", Manifest("one"));
  fs::permissions(manifests_, fs::perms(0311));
  // Of this thread and those that it starts.
  const bool root = ::geteuid() == 0;
  if (root) ::setfsuid(kNobody);
  Start(manifests_ + "/a.yaml");
  if (root) ::setfsuid(0);
  EXPECT_TRUE(Becomes({"one-n1:i:1"}));
  Write("a.yaml", Manifest("one", "i:2"));
  EXPECT_TRUE(Becomes({"one-n1:i:2"}));
  source_.reset();
  fs::permissions(manifests_, fs::perms(0755));
}

TEST_F(WatchTest, WatchesASingleFile) {
  Write("a.yaml", Manifest("one"));
  Write("b.yaml", Manifest("two"));
  Start(manifests_ + "/a.yaml");
  EXPECT_TRUE(Becomes({"one-n1:i:1"}));
  Write("a.yaml", Manifest("one", "i:2"));
  EXPECT_TRUE(Becomes({"one-n1:i:2"}));
  fs::remove(manifests_ + "/a.yaml");
  EXPECT_TRUE(Becomes({}));
}

}  // namespace
}  // namespace portcullis::node
