#include "runtime/service/oom.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

class OomLedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::MakeDirs(root_));
    ASSERT_TRUE(base::WriteFileAtomic(root_ + "/cgroup.controllers", "memory"));
  }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(root_)); }
  void Kills(const std::string& cgroup, int count) {
    ASSERT_TRUE(base::MakeDirs(root_ + cgroup));
    ASSERT_TRUE(
        base::WriteFileAtomic(root_ + cgroup + "/memory.events", fmt::format("low 0\noom 9\noom_kill {}\n", count)));
  }
  const std::string root_ = ::testing::TempDir() + "/oom-" + base::RandomHex(4);
};

TEST_F(OomLedgerTest, CountsInTheFile) {
  EXPECT_EQ(OomKillCount("low 0\noom 2\noom_kill 3\noom_group_kill 4\n"), 3u);
  EXPECT_EQ(OomKillCount("oom_kill_disable 1\nunder_oom 0\n"), 0u);
  EXPECT_EQ(OomKillCount(""), 0u);
}

TEST_F(OomLedgerTest, LedgerTellsTheOneThatIsGone) {
  const auto cgroups = Cgroups::Detect(root_);
  ASSERT_TRUE(cgroups);
  OomLedger ledger;
  Kills("/pod", 0);
  Kills("/pod/b", 0);
  EXPECT_EQ(ledger.Book(*cgroups, "/pod", {"/pod/b"}), 0u) << "a ended by itself";
  Kills("/pod", 2);
  Kills("/pod/b", 2);
  EXPECT_EQ(ledger.Book(*cgroups, "/pod", {"/pod/b"}), 0u) << "a child of b was killed, b lives on";
  Kills("/pod", 3);
  EXPECT_EQ(ledger.Book(*cgroups, "/pod", {"/pod/b"}), 1u) << "c was killed, and its cgroup is gone";
  EXPECT_EQ(ledger.Book(*cgroups, "/pod", {"/pod/b"}), 0u) << "booked";
  EXPECT_EQ(ledger.Book(*cgroups, "/pod", {}), 2u) << "and now b is gone";
  EXPECT_EQ(ledger.Book(*cgroups, "/pod", {}), 0u);
  Kills("/pod", 1);
  EXPECT_EQ(ledger.Book(*cgroups, "/pod", {}), 0u);
  ledger.Forget("/pod");
  EXPECT_EQ(ledger.Book(*cgroups, "/pod", {}), 1u) << "another cgroup of that name";
}

}  // namespace
}  // namespace portcullis::runtime
