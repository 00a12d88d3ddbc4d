#include "runtime/image/layer_unpack.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/files.h"
#include "base/strings.h"
#include "runtime/image/tar_for_test.h"
#include "spec/oci/digest.h"

namespace portcullis::runtime {
namespace {

class LayerTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "portcullis-layer-" + base::RandomHex(6);
    ASSERT_TRUE(base::MakeDirs(dir_ + "/outside"));
  }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(dir_)); }

  TarEntry Own(TarEntry entry) const {
    if (::geteuid() != 0) {
      entry.uid = ::geteuid();
      entry.gid = ::getegid();
    }
    return entry;
  }

  std::string Tar(const std::vector<TarEntry>& entries) const {
    TarBuilder builder;
    for (const TarEntry& entry : entries) builder.Add(Own(entry));
    return builder.Finish();
  }

  // Unpacks into <dir>/<name>, on top of the earlier ones given.
  Result<void> Unpack(const std::string& tar, const std::string& name = "root",
                      const std::vector<std::string>& lowers = {}, const LayerLimits& limits = {},
                      Compression how = Compression::kNone) {
    const std::string blob = dir_ + "/" + name + ".blob";
    EXPECT_TRUE(base::WriteFileAtomic(blob, Compress(tar, how)));
    EXPECT_TRUE(base::MakeDirs(dir_ + "/" + name));
    std::vector<std::string> lower_paths;
    for (const std::string& lower : lowers) lower_paths.push_back(dir_ + "/" + lower);
    return UnpackLayer({.blob_path = blob, .diff_id = oci::DigestOf(tar)}, dir_ + "/" + name, lower_paths, limits);
  }

  Result<void> UnpackEntries(const std::vector<TarEntry>& entries) { return Unpack(Tar(entries)); }

  std::string Path(const std::string& path) const { return dir_ + "/root/" + path; }
  std::string Content(const std::string& path) const { return base::ReadFile(Path(path)).value_or("<unreadable>"); }
  struct stat Stat(const std::string& path) const {
    struct stat info{};
    EXPECT_EQ(::lstat(Path(path).c_str(), &info), 0) << path;
    return info;
  }
  bool NothingOutside() const {
    return base::ListDir(dir_ + "/outside").value_or(std::vector<std::string>{"?"}).empty();
  }

  std::string dir_;
};

TEST_F(LayerTest, UnpacksEveryCompression) {
  const std::string tar =
      Tar({{.name = "etc/", .type = '5', .mode = 0755}, {.name = "etc/motd", .content = "hello\n", .mode = 0640}});
  for (const auto how : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    const std::string name = "root" + std::to_string(static_cast<int>(how));
    auto result = Unpack(tar, name, {}, {}, how);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(base::ReadFile(dir_ + "/" + name + "/etc/motd").value_or(""), "hello\n");
  }
}

TEST_F(LayerTest, KeepsModesTimesAndLinks) {
  ASSERT_TRUE(UnpackEntries({{.name = "d", .type = '5', .mode = 0750, .mtime = 1111},
                             {.name = "d/suid", .content = "x", .mode = 04755, .mtime = 2222},
                             {.name = "d/link", .type = '2', .link = "suid"},
                             {.name = "d/same", .type = '1', .link = "d/suid"},
                             {.name = "d/pipe", .type = '6', .mode = 0622}}));
  EXPECT_EQ(Stat("d").st_mode & 07777, 0750u);
  EXPECT_EQ(Stat("d").st_mtime, 1111) << "filling a folder must not change its time";
  EXPECT_EQ(Stat("d/suid").st_mode & 07777, 04755u);
  EXPECT_EQ(Stat("d/suid").st_mtime, 2222);
  EXPECT_TRUE(S_ISLNK(Stat("d/link").st_mode));
  EXPECT_EQ(Stat("d/same").st_ino, Stat("d/suid").st_ino);
  EXPECT_TRUE(S_ISFIFO(Stat("d/pipe").st_mode));
  EXPECT_EQ(Stat("d/pipe").st_mode & 07777, 0622u);
}

TEST_F(LayerTest, OwnersDevicesAndCapabilities) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::string capability("\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
  ASSERT_TRUE(UnpackEntries({{.name = "ping",
                              .content = "x",
                              .mode = 0755,
                              .uid = 12,
                              .gid = 34,
                              .pax = {{"SCHILY.xattr.security.capability", capability},
                                      {"SCHILY.xattr.user.note", "n"},
                                      {"SCHILY.xattr.trusted.overlay.redirect", "/etc"}}},
                             {.name = "null", .type = '3', .mode = 0666, .major = 1, .minor = 3},
                             {.name = "disk", .type = '4', .mode = 0600, .major = 8, .minor = 1}}));
  EXPECT_EQ(Stat("ping").st_uid, 12u);
  EXPECT_EQ(Stat("ping").st_gid, 34u);
  char value[64];
  EXPECT_EQ(::lgetxattr(Path("ping").c_str(), "security.capability", value, sizeof value), 20)
      << "chown must not have removed it";
  EXPECT_EQ(::lgetxattr(Path("ping").c_str(), "user.note", value, sizeof value), 1);
  EXPECT_LT(::lgetxattr(Path("ping").c_str(), "trusted.overlay.redirect", value, sizeof value), 0)
      << "an image must not steer overlayfs";
  EXPECT_EQ(Stat("null").st_rdev, makedev(1, 3));
  EXPECT_TRUE(S_ISBLK(Stat("disk").st_mode));
}

TEST_F(LayerTest, NamesOfAnyLengthAndLanguage) {
  const std::string longer = std::string(120, 'a') + "/" + std::string(250, 'b');
  auto result = UnpackEntries({{.name = "short", .content = "1", .pax = {{"path", longer}}},
                               {.name = "x", .content = "2", .pax = {{"path", "gr\xc3\xbc\xc3\x9f"}}},
                               {.name = "gr\xc3\xb6\xc3\x9f", .content = "3"}});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(Content(longer), "1");
  EXPECT_EQ(Content("gr\xc3\xbc\xc3\x9f"), "2");
  EXPECT_EQ(Content("gr\xc3\xb6\xc3\x9f"), "3");
}

TEST_F(LayerTest, LaterEntryWins) {
  ASSERT_TRUE(UnpackEntries({{.name = "a", .content = "old"},
                             {.name = "b", .type = '5', .mode = 0755},
                             {.name = "b/in", .content = "x"},
                             {.name = "c", .type = '5', .mode = 0700},
                             {.name = "c/keep", .content = "k"},
                             {.name = "a", .content = "new"},
                             {.name = "b", .content = "file now"},
                             {.name = "c", .type = '5', .mode = 0755}}));
  EXPECT_EQ(Content("a"), "new");
  EXPECT_EQ(Content("b"), "file now");
  EXPECT_EQ(Content("c/keep"), "k");
  EXPECT_EQ(Stat("c").st_mode & 07777, 0755u);
}

// --- what must not leave the layer ---

TEST_F(LayerTest, AbsolutePathsLandInside) {
  ASSERT_TRUE(UnpackEntries({{.name = "/etc/passwd", .content = "in"}, {.name = "./././etc//group", .content = "g"}}));
  EXPECT_EQ(Content("etc/passwd"), "in");
  EXPECT_EQ(Content("etc/group"), "g");
}

TEST_F(LayerTest, DotDotIsRefused) {
  for (const char* name : {"../outside/x", "a/../../outside/x", "..", "a/.."}) {
    auto result = UnpackEntries({{.name = name, .content = "evil"}});
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().code, Code::kInvalidArgument);
    EXPECT_TRUE(NothingOutside());
    ASSERT_TRUE(base::RemoveTree(dir_ + "/root"));
  }
}

TEST_F(LayerTest, LinksLeadBackInside) {
  const std::vector<std::string> targets = {dir_ + "/outside", "../outside", "../../../../../../../..", "/",
                                            "/proc/self/root" + dir_ + "/outside"};
  for (const std::string& target : targets) {
    if (target.size() > 100) continue;
    (void)UnpackEntries({{.name = "way", .type = '2', .link = target}, {.name = "way/evil", .content = "x"}});
    EXPECT_TRUE(NothingOutside()) << target;
    EXPECT_FALSE(base::Exists("/evil")) << target;
    EXPECT_FALSE(base::Exists(dir_ + "/evil")) << target;
    ASSERT_TRUE(base::RemoveTree(dir_ + "/root"));
  }
}

TEST_F(LayerTest, AFileReplacesALinkInsteadOfFollowingIt) {
  ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/outside/victim", "safe"));
  ASSERT_TRUE(UnpackEntries(
      {{.name = "x", .type = '2', .link = "../outside/victim"}, {.name = "x", .content = "evil", .mode = 0777}}));
  EXPECT_EQ(base::ReadFile(dir_ + "/outside/victim").value_or(""), "safe");
  EXPECT_EQ(Content("x"), "evil");
}

TEST_F(LayerTest, ADirectoryEntryReplacesALinkInsteadOfChangingItsTarget) {
  ASSERT_EQ(::chmod((dir_ + "/outside").c_str(), 0700), 0);
  ASSERT_TRUE(
      UnpackEntries({{.name = "x", .type = '2', .link = "../outside"}, {.name = "x", .type = '5', .mode = 0777}}));
  struct stat info{};
  ASSERT_EQ(::stat((dir_ + "/outside").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  EXPECT_TRUE(S_ISDIR(Stat("x").st_mode));
}

TEST_F(LayerTest, HardLinksToOutsideAreRefused) {
  ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/outside/secret", "s"));
  for (const std::string& target :
       {std::string("../outside/secret"), dir_ + "/outside/secret", std::string("way/secret")}) {
    if (target.size() > 100) continue;
    EXPECT_FALSE(
        UnpackEntries({{.name = "way", .type = '2', .link = "../outside"}, {.name = "h", .type = '1', .link = target}}))
        << target;
    struct stat info{};
    ASSERT_EQ(::stat((dir_ + "/outside/secret").c_str(), &info), 0);
    EXPECT_EQ(info.st_nlink, 1u);
    ASSERT_TRUE(base::RemoveTree(dir_ + "/root"));
  }
}

TEST_F(LayerTest, AHardLinkToItselfStays) {
  ASSERT_TRUE(UnpackEntries({{.name = "a", .content = "x"}, {.name = "a", .type = '1', .link = "a"}}));
  EXPECT_EQ(Content("a"), "x");
}

TEST_F(LayerTest, WhiteoutsCannotReachOut) {
  for (const char* name : {".wh...", ".wh..", ".wh.", "a/.wh..."}) {
    EXPECT_FALSE(UnpackEntries({{.name = name}})) << name;
    ASSERT_TRUE(base::RemoveTree(dir_ + "/root"));
  }
}

// --- whiteouts ---

TEST_F(LayerTest, WhiteoutBecomesADevice) {
  ASSERT_TRUE(UnpackEntries({{.name = "etc/.wh.gone"}, {.name = ".wh..wh.plnk", .type = '5'}}));
  EXPECT_TRUE(S_ISCHR(Stat("etc/gone").st_mode));
  EXPECT_EQ(Stat("etc/gone").st_rdev, makedev(0, 0));
  EXPECT_FALSE(base::Exists(Path("etc/.wh.gone")));
  EXPECT_FALSE(base::Exists(Path(".wh..wh.plnk")));
}

bool IsOpaque(const std::string& path) {
  char value[8];
  return ::lgetxattr(path.c_str(), "trusted.overlay.opaque", value, sizeof value) == 1 && value[0] == 'y';
}

TEST_F(LayerTest, OpaqueFoldersAndFoldersOverWhiteouts) {
  if (::geteuid() != 0) GTEST_SKIP() << "trusted.* needs root";
  ASSERT_TRUE(UnpackEntries({{.name = "a/.wh..wh..opq"},
                             {.name = ".wh.b"},
                             {.name = "b", .type = '5', .mode = 0755},
                             {.name = "c", .type = '5', .mode = 0755},
                             {.name = ".wh.c"},
                             {.name = ".wh.d"},
                             {.name = "d/e/f", .content = "x"},
                             {.name = "g", .content = "mine"},
                             {.name = ".wh.g"}}));
  EXPECT_TRUE(IsOpaque(Path("a")));
  EXPECT_TRUE(IsOpaque(Path("b"))) << "whiteout, then a folder of the name";
  EXPECT_TRUE(IsOpaque(Path("c"))) << "a folder, then a whiteout of the name";
  EXPECT_TRUE(IsOpaque(Path("d"))) << "whiteout, then a file below the name";
  EXPECT_EQ(Content("d/e/f"), "x");
  EXPECT_EQ(Content("g"), "mine") << "a whiteout hides lower layers only";
}

TEST_F(LayerTest, UndescribedFoldersLookAsBelow) {
  ASSERT_TRUE(Unpack(
      Tar({{.name = ".", .type = '5', .mode = 0711}, {.name = "srv", .type = '5', .mode = 01770, .mtime = 4242}}),
      "low"));
  ASSERT_TRUE(Unpack(Tar({{.name = "srv/new/file", .content = "x"}}), "root", {"low"}));
  EXPECT_EQ(Stat("srv").st_mode & 07777, 01770u);
  EXPECT_EQ(Stat("srv").st_mtime, 4242);
  EXPECT_EQ(Stat("srv/new").st_mode & 07777, 0755u);
  EXPECT_EQ(Stat(".").st_mode & 07777, 0711u);
}

// --- verification and limits ---

TEST_F(LayerTest, AnotherDiffIdIsDataLoss) {
  const std::string blob = dir_ + "/blob";
  ASSERT_TRUE(base::WriteFileAtomic(blob, Tar({{.name = "a", .content = "x"}})));
  ASSERT_TRUE(base::MakeDirs(dir_ + "/root"));
  auto result = UnpackLayer({.blob_path = blob, .diff_id = oci::DigestOf("other")}, dir_ + "/root", {}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kDataLoss);
}

TEST_F(LayerTest, WhatFollowsTheEndMarkCountsInTheDigest) {
  const std::string tar = Tar({{.name = "a", .content = "x"}}) + std::string(20 * 1024, '\0');
  EXPECT_TRUE(Unpack(tar, "root", {}, {}, Compression::kGzip));
}

TEST_F(LayerTest, TruncatedLayersFail) {
  const std::string tar = Tar({{.name = "a", .content = std::string(5000, 'x')}});
  EXPECT_FALSE(Unpack(tar.substr(0, 2000)));
}

TEST_F(LayerTest, LimitsHold) {
  struct Case {
    const char* name;
    LayerLimits limits;
    std::vector<TarEntry> entries;
  };
  std::string deep;
  for (int i = 0; i < 20; ++i) deep += "d/";
  const std::vector<Case> cases = {
      {"entries",
       {.max_bytes = 1 << 20, .max_entries = 2, .max_depth = 10},
       {{.name = "a"}, {.name = "b"}, {.name = "c"}}},
      {"bytes",
       {.max_bytes = 4096, .max_entries = 10, .max_depth = 10},
       {{.name = "a", .content = std::string(5000, 'x')}}},
      {"depth", {.max_bytes = 1 << 20, .max_entries = 10, .max_depth = 10}, {{.name = deep + "f"}}},
      {"depth through links",
       {.max_bytes = 1 << 20, .max_entries = 10, .max_depth = 10},
       {{.name = "d/d/d/d/d/d/d/d", .type = '5'},
        {.name = "l", .type = '2', .link = "d/d/d/d/d/d/d/d"},
        {.name = "l/d/d/d/d/d/f"}}},
      {"name", {}, {{.name = "x", .pax = {{"path", std::string(256, 'n')}}}}},
  };
  for (const Case& c : cases) {
    EXPECT_FALSE(Unpack(Tar(c.entries), "root", {}, c.limits)) << c.name;
    ASSERT_TRUE(base::RemoveTree(dir_ + "/root"));
  }
}

TEST_F(LayerTest, CompressionBombsStopAtTheLimit) {
  const std::string tar = Tar({{.name = "zeros", .content = std::string(8 << 20, '\0')}});
  auto result = Unpack(tar, "root", {}, {.max_bytes = 1 << 20, .max_entries = 10, .max_depth = 10}, Compression::kGzip);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kResourceExhausted) << result.error().message;
}

}  // namespace
}  // namespace portcullis::runtime
