#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace portcullis::base {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "portcullis-files-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { EXPECT_TRUE(RemoveTree(dir_)); }
  std::string dir_;
};

TEST(Path, JoinAndCleanAsGoDoes) {
  struct Case {
    const char* root;
    const char* relative;
    const char* joined;
  };
  for (const Case& c :
       {Case{"/root", "/etc/x", "/root/etc/x"}, Case{"/r", "a//b.json", "/r/a/b.json"}, Case{"/r", "dir/", "/r/dir"},
        Case{"/r", ".", "/r"}, Case{"/r/", "../x", "/x"}, Case{"/r", "a..json", "/r/a..json"}, Case{"/", "x", "/x"}}) {
    EXPECT_EQ(JoinPath(c.root, c.relative), c.joined);
  }
  EXPECT_EQ(CleanPath("/../a"), "/a");
  EXPECT_EQ(CleanPath("../a/./b/.."), "../a");
  EXPECT_EQ(CleanPath(""), ".");
}

TEST_F(Files, AtomicWriteReplacesAndLeavesNoTemporary) {
  const std::string path = dir_ + "/f";
  ASSERT_TRUE(WriteFileAtomic(path, "one", 0600));
  ASSERT_TRUE(WriteFileAtomic(path, "two", 0640));
  EXPECT_EQ(ReadFile(path).value(), "two");
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  EXPECT_EQ(ListDir(dir_).value(), std::vector<std::string>{"f"});
}

TEST_F(Files, ReadFileIsBoundedAndNamesThePath) {
  ASSERT_TRUE(WriteFileAtomic(dir_ + "/f", std::string(100, 'x')));
  const auto big = ReadFile(dir_ + "/f", 99);
  ASSERT_FALSE(big);
  EXPECT_EQ(big.error().code, Code::kResourceExhausted);
  const auto missing = ReadFile(dir_ + "/nope");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "open " + dir_ + "/nope: no such file or directory");
  EXPECT_EQ(missing.error().code, Code::kNotFound);
}

TEST_F(Files, OpenBeneathRefusesToLeave) {
  ASSERT_TRUE(MakeDirs(dir_ + "/root/sub"));
  ASSERT_TRUE(WriteFileAtomic(dir_ + "/root/sub/in", "in"));
  ASSERT_TRUE(WriteFileAtomic(dir_ + "/out", "out"));
  ASSERT_EQ(::symlink("../out", (dir_ + "/root/link").c_str()), 0);
  ASSERT_EQ(::symlink("sub/in", (dir_ + "/root/good").c_str()), 0);
  const auto root = OpenDir(dir_ + "/root");
  ASSERT_TRUE(root);
  EXPECT_TRUE(OpenBeneath(root->get(), "sub/in", O_RDONLY));
  EXPECT_TRUE(OpenBeneath(root->get(), "good", O_RDONLY));
  for (const char* bad : {"../out", "link", "/etc/passwd", "sub/../../out"}) {
    const auto opened = OpenBeneath(root->get(), bad, O_RDONLY);
    ASSERT_FALSE(opened) << bad;
    EXPECT_EQ(opened.error().sys_errno, EXDEV) << bad;
  }
}

TEST_F(Files, OpenInRootTreatsRootAsSlash) {
  ASSERT_TRUE(MakeDirs(dir_ + "/root/etc"));
  ASSERT_TRUE(WriteFileAtomic(dir_ + "/root/etc/passwd", "ours"));
  const auto root = OpenDir(dir_ + "/root");
  ASSERT_TRUE(root);
  const auto fd = OpenInRoot(root->get(), "/../../etc/passwd", O_RDONLY);
  ASSERT_TRUE(fd) << fd.error().message;
  EXPECT_EQ(ReadFd(fd->get(), 100, "passwd").value(), "ours");
}

TEST_F(Files, RemoveTreeDoesNotFollowLinks) {
  ASSERT_TRUE(MakeDirs(dir_ + "/keep"));
  ASSERT_TRUE(WriteFileAtomic(dir_ + "/keep/f", "x"));
  ASSERT_TRUE(MakeDirs(dir_ + "/gone/a/b"));
  ASSERT_EQ(::symlink("../../keep", (dir_ + "/gone/a/link").c_str()), 0);
  ASSERT_TRUE(RemoveTree(dir_ + "/gone"));
  EXPECT_FALSE(Exists(dir_ + "/gone"));
  EXPECT_TRUE(Exists(dir_ + "/keep/f"));
  EXPECT_TRUE(RemoveTree(dir_ + "/gone")) << "absent is fine";
}

// A container chooses how deep its files lie; neither the stack nor the descriptor table may end first.
TEST_F(Files, RemoveTreeOfAnyDepth) {
  constexpr int kDepth = 5000;
  ASSERT_TRUE(MakeDirs(dir_ + "/deep"));
  auto at = OpenDir(dir_ + "/deep");
  ASSERT_TRUE(at);
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_EQ(::mkdirat(at->get(), "d", 0755), 0);
    if (i % 100 == 0) {
      ASSERT_EQ(::mkdirat(at->get(), "empty", 0755), 0);
      ASSERT_EQ(::symlinkat("/", at->get(), "link"), 0);
    }
    at->Reset(::openat(at->get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at->valid());
  }
  at->Reset();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{.rlim_cur = 100, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto removed = RemoveTree(dir_ + "/deep");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(removed) << removed.error().message.substr(0, 200);
  EXPECT_FALSE(Exists(dir_ + "/deep"));
}

TEST_F(Files, MakeDirsRefusesAFileInTheWay) {
  ASSERT_TRUE(WriteFileAtomic(dir_ + "/f", "x"));
  EXPECT_FALSE(MakeDirs(dir_ + "/f/sub"));
  EXPECT_FALSE(MakeDirs(dir_ + "/f"));
}

TEST_F(Files, LockOwnerNamesTheHolder) {
  const auto first = LockOwner(dir_ + "/lock");
  ASSERT_TRUE(first);
  const auto second = LockOwner(dir_ + "/lock");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kFailedPrecondition);
  EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid())), std::string::npos)
      << second.error().message;
}

TEST_F(Files, HalfWrittenFilesGoAndNothingElse) {
  for (const char* name : {"a.json", "a.json.tmp-0123456789ab", "b.tmp-short", "tmp-0123456789ab"}) {
    ASSERT_TRUE(WriteFileAtomic(dir_ + "/" + name, "x"));
  }
  ASSERT_TRUE(RemoveHalfWritten(dir_));
  EXPECT_EQ(*ListDir(dir_), (std::vector<std::string>{"a.json", "b.tmp-short", "tmp-0123456789ab"}));
  EXPECT_TRUE(RemoveHalfWritten(dir_ + "/absent"));
}

}  // namespace
}  // namespace portcullis::base
