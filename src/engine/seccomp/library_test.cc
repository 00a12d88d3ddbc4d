#include "engine/seccomp/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/seccomp/check.h"
#include "engine/seccomp/profile_json.h"
#include "engine/seccomp/test_shared.h"

namespace portcullis::seccomp {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::string LabelOf(const json& entry) {
  return std::filesystem::path(entry["file"].get<std::string>()).stem().string();
}

// valueTwo of 0 and its absence are the same.
json WithoutZeroes(json profile) {
  profile.erase("x-upstream");
  for (json& rule : profile["syscalls"]) {
    if (!rule.contains("args")) continue;
    for (json& arg : rule["args"]) {
      if (arg.value("valueTwo", uint64_t{0}) == 0) arg.erase("valueTwo");
    }
  }
  for (json& entry : profile["archMap"]) {
    if (entry["subArchitectures"].is_null()) entry["subArchitectures"] = json::array();
  }
  return profile;
}

TEST(Library, NewestAndByRelease) {
  const auto newest = FindDefaultProfile("containerd");
  ASSERT_TRUE(newest) << newest.error().message;
  EXPECT_EQ(newest->runtime, "containerd");
  EXPECT_EQ(newest->release.find('-'), std::string::npos) << "a pre-release is not the newest";
  EXPECT_EQ(newest->content, "2.2.4");
  EXPECT_EQ(newest->flavour, Flavour::kContainerd);
  EXPECT_EQ(FindDefaultProfile("cri-o")->content, "1.35.1");
  EXPECT_EQ(FindDefaultProfile("cri-o")->flavour, Flavour::kCriO);
  EXPECT_EQ(FindDefaultProfile("docker")->content, "29.4.3");
  EXPECT_EQ(FindDefaultProfile("docker")->flavour, Flavour::kDocker);
  EXPECT_EQ(FindDefaultProfile("containers-common")->content, "0.67.0");
  EXPECT_EQ(FindDefaultProfile("containerd@1.7.20")->content, "1.7.13");
  EXPECT_EQ(FindDefaultProfile("containerd@v1.7.3")->content, "1.7.3");
  EXPECT_EQ(FindDefaultProfile("containerd@2.4.0-beta.0")->content, "2.2.4");
  EXPECT_EQ(FindDefaultProfile("containerd@1.7.24~ds1")->release, "1.7.24");  // as Debian's tell themselves
  EXPECT_EQ(FindDefaultProfile("containerd@2.1.9+unknown")->content, "2.1.0");
  EXPECT_EQ(FindDefaultProfile("docker@28.5.2+dfsg4")->content, "28.2.0");
  EXPECT_EQ(FindDefaultProfile("docker@20.10.22")->content, "20.10.22");
  EXPECT_EQ(FindDefaultProfile("docker@20.10.23")->content, "20.10.18");
  EXPECT_EQ(FindDefaultProfile("containers-common@0.67.0-599-gf0ddf1a745")->content, "0.67.0-599-gf0ddf1a745");
}

TEST(Library, UnknownNamesListWhatThereIs) {
  for (const char* name : {"runc", "", "@1.7.13", "Containerd", "containerd "}) {
    const auto missing = FindDefaultProfile(name);
    ASSERT_FALSE(missing) << name;
    EXPECT_EQ(missing.error().code, Code::kNotFound);
    EXPECT_THAT(missing.error().message, HasSubstr("containerd, containers-common, cri-o, docker"));
  }
  for (const char* name : {"containerd@", "containerd@9.9.9", "containerd@9", "containerd@vv1.7.13", "containerd@+ds1",
                           "containerd@9.9.9~ds1"}) {
    const auto missing = FindDefaultProfile(name);
    ASSERT_FALSE(missing) << name;
    EXPECT_EQ(missing.error().code, Code::kNotFound);
    EXPECT_THAT(missing.error().message, HasSubstr("1.7.13"));
  }
}

TEST(Library, EveryProfileIsUsable) {
  for (const std::string& runtime : LibraryRuntimes()) {
    EXPECT_FALSE(ReleasesOf(runtime).empty());
    for (const LibraryRelease& release : ReleasesOf(runtime)) {
      const auto found = FindDefaultProfile(runtime + "@" + release.release);
      ASSERT_TRUE(found) << found.error().message;
      const auto usable = CheckUsable(found->profile, release.release);
      EXPECT_TRUE(usable) << usable.error().message;
      EXPECT_GT(found->profile.syscalls.size(), 15u);
    }
  }
  EXPECT_TRUE(ReleasesOf("runc").empty());
}

// Expanding the compact form gives every upstream-shaped file again, rule by rule and name by name in the same order.
TEST(Library, EqualsEverySharedFile) {
  const auto index = SharedJson("profiles/index.json");
  if (!index) GTEST_SKIP() << "no shared profiles here";
  size_t files = 0;
  for (const json& entry : *index) {
    const std::string runtime = entry["runtime"];
    const auto text = SharedText("profiles/" + entry["file"].get<std::string>());
    ASSERT_TRUE(text);
    auto original = ParseProfile(*text, entry["file"]);
    ASSERT_TRUE(original) << original.error().message;
    original->extensions.clear();
    const auto compact = FindDefaultProfile(runtime + "@" + LabelOf(entry));
    ASSERT_TRUE(compact) << compact.error().message;
    EXPECT_EQ(compact->profile, *original) << entry["file"];
    EXPECT_EQ(ToJson(compact->profile), WithoutZeroes(json::parse(*text))) << entry["file"];
    ++files;
  }
  EXPECT_EQ(files, 69u);
}

TEST(Library, KnowsEveryReleaseOfTheIndex) {
  const auto index = SharedJson("profiles/index.json");
  if (!index) GTEST_SKIP() << "no shared profiles here";
  std::map<std::string, size_t> counts;
  for (const json& entry : *index) {
    const std::string runtime = entry["runtime"];
    for (const std::string release : entry["releases"]) {
      const auto found = FindDefaultProfile(runtime + "@" + release);
      ASSERT_TRUE(found) << found.error().message;
      EXPECT_EQ(found->content, LabelOf(entry)) << runtime << " " << release;
      ++counts[runtime];
    }
  }
  for (const auto& [runtime, count] : counts) EXPECT_EQ(ReleasesOf(runtime).size(), count) << runtime;
}

TEST(LibraryTest, ABranchMeansItsNewestRelease) {
  const auto branch = FindDefaultProfile("containerd@1.7");
  ASSERT_TRUE(branch) << branch.error().message;
  EXPECT_TRUE(branch->release.starts_with("1.7.")) << branch->release;
  for (const LibraryRelease& known : ReleasesOf("containerd")) {
    if (!known.release.starts_with("1.7.")) continue;
    EXPECT_GE(std::stoi(branch->release.substr(4)), std::stoi(known.release.substr(4)));
  }
  EXPECT_FALSE(FindDefaultProfile("containerd@1.")) << "no branch";
  EXPECT_FALSE(FindDefaultProfile("containerd@"));
}

}  // namespace
}  // namespace portcullis::seccomp
