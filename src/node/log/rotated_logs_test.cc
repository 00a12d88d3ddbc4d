#include "node/log/rotated_logs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/files.h"

namespace portcullis::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(RotatedName, IsTheKubelets) {
  EXPECT_EQ(RotatedName("0.log", 1'795'465'559'392'865'529), "0.log.20261123-202559");
}

TEST(PlanRotatedLogs, TheOldestGoAndTheRestIsCompressed) {
  const RotatedLogs plan = PlanRotatedLogs("0.log",
                                           {"0.log", "0.log.20261130-000004", "0.log.20261130-000001.gz",
                                            "0.log.20261130-000003.gz", "0.log.20261130-000002.gz"},
                                           3);
  EXPECT_THAT(plan.remove, ElementsAre("0.log.20261130-000001.gz"));
  EXPECT_THAT(plan.compress, ElementsAre("0.log.20261130-000004"));
  EXPECT_THAT(PlanRotatedLogs("0.log", {"0.log.20261130-000001"}, 0).remove, ElementsAre("0.log.20261130-000001"));
}

TEST(PlanRotatedLogs, WhatACrashLeft) {
  // Half compressed; and compressed, but not removed.
  const RotatedLogs plan = PlanRotatedLogs(
      "0.log",
      {"0.log.20261130-000001", "0.log.20261130-000001.gz.tmp", "0.log.20261130-000002", "0.log.20261130-000002.gz"},
      5);
  EXPECT_THAT(plan.remove, ElementsAre("0.log.20261130-000001.gz.tmp", "0.log.20261130-000002"));
  EXPECT_THAT(plan.compress, ElementsAre("0.log.20261130-000001"));
}

TEST(PlanRotatedLogs, OthersFilesStay) {
  const RotatedLogs plan = PlanRotatedLogs(
      "0.log",
      {"0.log", "10.log.20261130-000001", "0.log.bak", "0.log.20261130-00000x", "0.log.20261130-0000011",
       "0.logs.20261130-000001", "0.log.", "1.log.20261130-000001", "0.log.20261130"},
      0);
  EXPECT_THAT(plan.remove, IsEmpty());
  EXPECT_THAT(plan.compress, IsEmpty());
}

class LogFiles : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/portcullis-logs-XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
  }
  void TearDown() override { ASSERT_TRUE(base::RemoveTree(folder_)); }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text, mode_t mode = 0640) {
    ASSERT_TRUE(base::WriteFileAtomic(Path(name), text, mode));
  }
  std::vector<std::string> Names() const { return base::ListDir(folder_).value(); }

  std::string folder_;
};

TEST_F(LogFiles, CompressedTheyHoldTheSame) {
  const std::string text(300'000, 'x');
  Write("0.log.20261130-000001", text);
  ASSERT_TRUE(CompressLog(Path("0.log.20261130-000001")));
  EXPECT_THAT(Names(), ElementsAre("0.log.20261130-000001.gz"));
  struct stat facts{};
  ASSERT_EQ(::stat(Path("0.log.20261130-000001.gz").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0640u);
  EXPECT_LT(facts.st_size, 10'000);
  const gzFile file = ::gzopen(Path("0.log.20261130-000001.gz").c_str(), "rb");
  ASSERT_NE(file, nullptr);
  std::string read(400'000, '\0');
  read.resize(static_cast<size_t>(::gzread(file, read.data(), static_cast<unsigned>(read.size()))));
  ::gzclose(file);
  EXPECT_EQ(read, text);
}

TEST_F(LogFiles, WhatIsNoFileIsNotCompressed) {
  ASSERT_EQ(::symlink("/etc/hostname", Path("link").c_str()), 0);
  EXPECT_FALSE(CompressLog(Path("link")));
  ASSERT_TRUE(base::MakeDirs(Path("folder")));
  EXPECT_FALSE(CompressLog(Path("folder")));
  EXPECT_FALSE(CompressLog(Path("none")));
  EXPECT_THAT(Names(), ElementsAre("folder", "link"));
}

TEST_F(LogFiles, RemovedWithAllThatWasRotated) {
  for (const char* name : {"0.log", "0.log.20261130-000001.gz", "0.log.20261130-000002", "1.log", "0.log.bak"}) {
    Write(name, "x");
  }
  ASSERT_TRUE(RemoveLogs(Path("0.log")));
  EXPECT_THAT(Names(), ElementsAre("0.log.bak", "1.log"));
  EXPECT_TRUE(RemoveLogs(Path("0.log")));
  EXPECT_TRUE(RemoveLogs(Path("gone/0.log")));
}

}  // namespace
}  // namespace portcullis::node
