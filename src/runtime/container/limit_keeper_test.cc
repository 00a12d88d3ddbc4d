#include "runtime/container/share_keeper.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

TEST(ShareKeeper, WritesWhatChangedAndWhatIsNew) {
  const std::string root = ::testing::TempDir() + "/shares-" + base::RandomHex(4);
  const std::string file = root + "/kubepods/cpu.weight";
  ASSERT_TRUE(base::MakeDirs(root));
  ASSERT_TRUE(base::WriteFileAtomic(root + "/cgroup.controllers", "cpu"));
  ShareKeeper keeper(*Cgroups::Detect(root));
  keeper.Keep({{"/kubepods", 1024}});  // not there yet
  ASSERT_TRUE(base::MakeDirs(root + "/kubepods"));
  ASSERT_TRUE(base::WriteFileAtomic(file, ""));
  keeper.Keep({{"/kubepods", 1024}});
  EXPECT_EQ(*base::ReadFile(file), "39");
  ASSERT_TRUE(base::WriteFileAtomic(file, "7"));
  keeper.Keep({{"/kubepods", 1024}});
  EXPECT_EQ(*base::ReadFile(file), "7") << "an administrator's change is not undone all the time";
  keeper.Keep({{"/kubepods", 2}});
  EXPECT_EQ(*base::ReadFile(file), "1");
  EXPECT_TRUE(base::RemoveTree(root));
}

}  // namespace
}  // namespace portcullis::runtime
