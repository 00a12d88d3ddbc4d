#include "runtime/service/seccomp_profiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/strings.h"

namespace portcullis::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class SeccompProfilesTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / ("seccomp-profiles-test-" + base::RandomHex(6));
    fs::create_directories(dir_ / "seccomp" / "profiles");
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::string Root() const { return dir_ / "seccomp"; }
  std::string Write(const std::string& relative, const std::string& text) const {
    const fs::path path = dir_ / relative;
    std::ofstream(path) << text;
    return path;
  }
  SeccompProfiles Load(const std::string& name = "containerd") const {
    auto profiles = SeccompProfiles::Load(name, Root());
    EXPECT_TRUE(profiles) << profiles.error().message;
    return std::move(profiles).value();
  }
  static SeccompDecision File(std::string path) {
    return {.source = SeccompSource::kLocalhost, .localhost_path = std::move(path)};
  }
  std::string ErrorOf(const std::string& path) const {
    auto result = Load().Resolve(File(path), {});
    EXPECT_FALSE(result) << path << " must not load";
    return result ? "" : result.error().message;
  }

  fs::path dir_;
};

bool Names(const seccomp::ResolvedProfile& profile, const std::string& name) {
  for (const auto& rule : profile.syscalls) {
    if (rule.action == seccomp::Action::kAllow && rule.args.empty() &&
        std::find(rule.names.begin(), rule.names.end(), name) != rule.names.end()) {
      return true;
    }
  }
  return false;
}

constexpr char kDenyChmod[] =
    R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chmod","fchmod","fchmodat"],"action":"SCMP_ACT_ERRNO"}]})";

TEST_F(SeccompProfilesTest, RuntimeDefaultDependsOnTheBoundingSet) {
  const SeccompProfiles profiles = Load();
  auto plain = profiles.Resolve({.source = SeccompSource::kRuntimeDefault, .localhost_path = ""}, {"CAP_CHOWN"});
  ASSERT_TRUE(plain) << plain.error().message;
  ASSERT_TRUE(plain->profile);
  EXPECT_EQ(plain->profile->default_action, seccomp::Action::kErrno);
  EXPECT_FALSE(Names(*plain->profile, "unshare"));
  EXPECT_TRUE(plain->description.starts_with("RuntimeDefault (containerd@")) << plain->description;
  auto admin = profiles.Resolve({.source = SeccompSource::kRuntimeDefault, .localhost_path = ""}, {"CAP_SYS_ADMIN"});
  ASSERT_TRUE(admin);
  EXPECT_TRUE(Names(*admin->profile, "unshare"));
}

TEST_F(SeccompProfilesTest, NoneIsAbsentNotEmpty) {
  auto none = Load().Resolve({}, {});
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->profile);
  EXPECT_EQ(none->description, "Unconfined");
}

TEST_F(SeccompProfilesTest, DefaultMayBeAnotherRuntimesOrAFile) {
  EXPECT_TRUE(Load("cri-o").default_name().starts_with("cri-o@"));
  EXPECT_TRUE(Load("docker").default_name().starts_with("docker@"));
  const std::string path = Write("default.json", kDenyChmod);
  auto result = Load(path).Resolve({.source = SeccompSource::kRuntimeDefault, .localhost_path = ""}, {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->profile->default_action, seccomp::Action::kAllow);
  EXPECT_EQ(result->description, "RuntimeDefault (" + path + ")");
}

TEST_F(SeccompProfilesTest, AnUnknownDefaultIsAnErrorAtTheStart) {
  EXPECT_FALSE(SeccompProfiles::Load("containerdd", Root()));
  EXPECT_FALSE(SeccompProfiles::Load((dir_ / "missing.json").string(), Root()));
  EXPECT_FALSE(SeccompProfiles::Load(Write("bad.json", "{"), Root()));
}

TEST_F(SeccompProfilesTest, LocalhostDoesWhatItsFileSays) {
  const std::string path = Write("seccomp/profiles/deny.json", kDenyChmod);
  auto result = Load().Resolve(File(path), {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->description, "Localhost " + path);
  ASSERT_EQ(result->profile->syscalls.size(), 1u);
  EXPECT_EQ(result->profile->syscalls[0].names[0], "chmod");
}

TEST_F(SeccompProfilesTest, DockersDialectIsHonouredInLocalhostFiles) {
  const std::string path = Write(
      "seccomp/docker.json",
      R"({"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]}],
          "syscalls":[{"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
                      {"names":["read"],"action":"SCMP_ACT_ALLOW"}]})");
  auto without = Load().Resolve(File(path), {"CAP_CHOWN"});
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_FALSE(Names(*without->profile, "mount"));
  EXPECT_TRUE(Names(*without->profile, "read"));
  EXPECT_FALSE(without->warnings.empty()) << "containerd would allow mount here; that must be said";
  auto with = Load().Resolve(File(path), {"CAP_SYS_ADMIN"});
  ASSERT_TRUE(with);
  EXPECT_TRUE(Names(*with->profile, "mount"));
}

// Rules on two arguments: libseccomp allows more than they say.
TEST_F(SeccompProfilesTest, WhatLibseccompMisreadsIsSaid) {
  const std::string text =
      R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
          {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":40,"op":"SCMP_CMP_LE"},{"index":1,"value":3,"op":"SCMP_CMP_LT"}]},
          {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":40,"op":"SCMP_CMP_LE"},{"index":1,"value":38,"op":"SCMP_CMP_NE"}]}]})";
  const std::string path = Write("seccomp/hang.json", text);
  const auto warned = [&](const Result<SeccompResult>& result) {
    return result && std::any_of(result->warnings.begin(), result->warnings.end(), [&](const std::string& warning) {
             return warning.find(path) != std::string::npos &&
                    warning.find("libseccomp never finishes") != std::string::npos;
           });
  };
  const SeccompDecision runtime_default{.source = SeccompSource::kRuntimeDefault, .localhost_path = ""};
  EXPECT_TRUE(warned(Load().Resolve(File(path), {})));
  EXPECT_TRUE(warned(Load(path).Resolve(runtime_default, {}))) << "a default profile that is a file";
  for (const char* known : {"containerd", "docker", "cri-o"}) {
    EXPECT_TRUE(Load(known).Resolve(runtime_default, {})->warnings.empty()) << known;
  }
}

TEST_F(SeccompProfilesTest, C15AMissingFileIsNamedWithItsReason) {
  const std::string path = Root() + "/wrong.json";
  EXPECT_EQ(ErrorOf(path),
            "cannot load seccomp profile \"" + path + "\": open " + path + ": no such file or directory");
}

TEST_F(SeccompProfilesTest, AMissingFolderReadsLikeAMissingFile) {
  auto profiles = SeccompProfiles::Load("containerd", dir_ / "nowhere");
  ASSERT_TRUE(profiles);
  auto result = profiles->Resolve(File(dir_ / "nowhere/x.json"), {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("no such file or directory"));
}

TEST_F(SeccompProfilesTest, OutsideOfTheFolderIsRefused) {
  const std::string outside = Write("outside.json", kDenyChmod);
  fs::create_symlink(outside, dir_ / "seccomp/link.json");
  fs::create_symlink("../outside.json", dir_ / "seccomp/relative.json");
  fs::create_directory_symlink(dir_, dir_ / "seccomp/up");
  for (const std::string& path :
       {outside, Root() + "/../outside.json", Root() + "/link.json", Root() + "/relative.json",
        Root() + "/up/outside.json", Root() + "-evil/x.json", std::string("/etc/passwd")}) {
    EXPECT_THAT(ErrorOf(path), HasSubstr("outside of the profile folder")) << path;
  }
}

TEST_F(SeccompProfilesTest, LinksThatStayInsideAreFollowed) {
  Write("seccomp/profiles/deny.json", kDenyChmod);
  fs::create_symlink("profiles/deny.json", dir_ / "seccomp/inside.json");
  EXPECT_TRUE(Load().Resolve(File(Root() + "/inside.json"), {}));
}

TEST_F(SeccompProfilesTest, OnlyRegularFilesOfBoundedSizeAreRead) {
  EXPECT_THAT(ErrorOf(Root() + "/profiles"), HasSubstr("is a directory"));
  EXPECT_THAT(ErrorOf(Root()), HasSubstr("is a directory"));
  const std::string fifo = Root() + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(ErrorOf(fifo), HasSubstr("not a regular file"));
  const std::string big = Write("seccomp/big.json", std::string(kMaxSeccompFile + 1, ' '));
  EXPECT_THAT(ErrorOf(big), HasSubstr("more than the 1048576 allowed"));
}

TEST_F(SeccompProfilesTest, WhatDoesNotParseIsRefused) {
  for (const char* text : {"", "{}", "[]", "{", R"({"defaultAction":"SCMP_ACT_DENY"})",
                           R"({"defaultAction":"SCMP_ACT_ALLOW","sysCalls":[]})"}) {
    const std::string path = Write("seccomp/bad.json", text);
    EXPECT_THAT(ErrorOf(path), HasSubstr("cannot load seccomp profile \"" + path + "\"")) << text;
  }
}

}  // namespace
}  // namespace portcullis::runtime
