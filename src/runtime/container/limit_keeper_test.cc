#include "runtime/container/limit_keeper.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

std::map<std::string, Cgroups::Limits> Shares(uint64_t shares) { return {{"/kubepods", {.cpu_shares = shares}}}; }

TEST(LimitKeeper, WritesWhatChangedAndWhatIsNew) {
  const std::string root = ::testing::TempDir() + "/shares-" + base::RandomHex(4);
  const std::string file = root + "/kubepods/cpu.weight";
  ASSERT_TRUE(base::MakeDirs(root));
  ASSERT_TRUE(base::WriteFileAtomic(root + "/cgroup.controllers", "cpu"));
  LimitKeeper keeper(*Cgroups::Detect(root));
  keeper.Keep(Shares(1024));  // not there yet
  ASSERT_TRUE(base::MakeDirs(root + "/kubepods"));
  ASSERT_TRUE(base::WriteFileAtomic(file, ""));
  keeper.Keep(Shares(1024));
  EXPECT_EQ(*base::ReadFile(file), "39");
  ASSERT_TRUE(base::WriteFileAtomic(file, "7"));
  keeper.Keep(Shares(1024));
  EXPECT_EQ(*base::ReadFile(file), "7") << "an administrator's change is not undone all the time";
  keeper.Keep(Shares(2));
  EXPECT_EQ(*base::ReadFile(file), "1");
  EXPECT_TRUE(base::RemoveTree(root));
}

TEST(LimitKeeper, TriesAgainWhatWasRefused) {
  const std::string root = ::testing::TempDir() + "/limits-" + base::RandomHex(4);
  const std::string file = root + "/kubepods/memory.max";
  ASSERT_TRUE(base::MakeDirs(root + "/kubepods"));
  ASSERT_TRUE(base::WriteFileAtomic(root + "/cgroup.controllers", "memory"));
  LimitKeeper keeper(*Cgroups::Detect(root));
  const std::map<std::string, Cgroups::Limits> wanted = {{"/kubepods", {.memory_bytes = 4096}}};
  keeper.Keep(wanted);  // there is no such file yet
  ASSERT_TRUE(base::WriteFileAtomic(file, ""));
  keeper.Keep(wanted);
  EXPECT_EQ(*base::ReadFile(file), "4096");
  EXPECT_TRUE(base::RemoveTree(root));
}

}  // namespace
}  // namespace portcullis::runtime
