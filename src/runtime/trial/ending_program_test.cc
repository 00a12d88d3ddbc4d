#include "runtime/trial/ending_program.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

TEST(EndingProgram, EndsWithZero) {
  ASSERT_FALSE(EndingProgram().empty());
  const std::string path = ::testing::TempDir() + "/portcullis-end-" + base::RandomHex(4);
  ASSERT_TRUE(base::WriteFileAtomic(path, EndingProgram(), 0755));
  const auto ran = base::RunCommand({.spawn = {.argv = {path}}});
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(ran->exit_code, 0);
  EXPECT_TRUE(base::RemoveTree(path));
}

}  // namespace
}  // namespace portcullis::runtime
