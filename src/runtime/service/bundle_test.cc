#include "runtime/service/bundle.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

class ReadInRootTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "portcullis-root-" + base::RandomHex(6);
    ASSERT_TRUE(base::MakeDirs(dir_ + "/root/etc"));
    ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/secret", "of the host"));
  }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(dir_)); }

  std::string Path() const { return dir_ + "/root/etc/passwd"; }
  Result<std::string> Read() const { return ReadInRoot(dir_ + "/root", "/etc/passwd"); }

  std::string dir_;
};

TEST_F(ReadInRootTest, FilesAndLinksInside) {
  EXPECT_EQ(Read().value_or("error"), "") << "an image without users";
  ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/root/users", "root:x:0:0\n"));
  ASSERT_EQ(::symlink("/users", Path().c_str()), 0);
  EXPECT_EQ(Read().value_or("error"), "root:x:0:0\n");
}

TEST_F(ReadInRootTest, LinksDoNotLeadOutside) {
  ASSERT_EQ(::symlink((dir_ + "/secret").c_str(), Path().c_str()), 0);
  EXPECT_EQ(Read().value_or(""), "");
  ASSERT_EQ(::unlink(Path().c_str()), 0);
  ASSERT_EQ(::symlink("../../../secret", Path().c_str()), 0);
  EXPECT_EQ(Read().value_or(""), "");
}

TEST_F(ReadInRootTest, OnlyRegularFilesAreOpened) {
  ASSERT_EQ(::mkfifo(Path().c_str(), 0600), 0);
  auto fifo = Read();
  ASSERT_FALSE(fifo);
  EXPECT_EQ(fifo.error().message, "/etc/passwd of the image is not a regular file");
  ASSERT_EQ(::unlink(Path().c_str()), 0);
  ASSERT_TRUE(base::MakeDirs(Path()));
  EXPECT_FALSE(Read());
}

}  // namespace
}  // namespace portcullis::runtime
