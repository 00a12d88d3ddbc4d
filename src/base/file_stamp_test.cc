#include "base/file_stamp.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::base {
namespace {

TEST(FileStamp, ChangesWithTheFile) {
  const std::string dir = testing::TempDir() + "portcullis-stamp-" + RandomHex(6);
  ASSERT_TRUE(MakeDirs(dir));
  const std::string path = dir + "/file";
  const std::string link = dir + "/link";
  EXPECT_EQ(StampOf(path), FileStamp{});
  ASSERT_TRUE(WriteFileAtomic(path, "same size"));
  ASSERT_EQ(::symlink("file", link.c_str()), 0);
  const FileStamp first = StampOf(path);
  EXPECT_NE(first, FileStamp{});
  EXPECT_EQ(StampOf(path), first);
  EXPECT_EQ(StampOf(link), first) << "what a link leads to";
  ASSERT_TRUE(WriteFileAtomic(path, "SAME SIZE"));
  EXPECT_NE(StampOf(path), first) << "another file of the same size has taken its place";
  EXPECT_EQ(StampOf(link), StampOf(path));
  ASSERT_TRUE(RemoveTree(dir));
}

}  // namespace
}  // namespace portcullis::base
