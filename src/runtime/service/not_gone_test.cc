#include "runtime/service/not_gone.h"

#include <gtest/gtest.h>

namespace portcullis::runtime {
namespace {

TEST(NotGoneTest, OnlyNotFoundIsChanged) {
  EXPECT_EQ(NotGone(Result<int>(7)).value_or(0), 7);
  EXPECT_TRUE(NotGone(Result<void>()));
  const auto missing = NotGone(Result<void>(FailErrno(ENOENT, "open /plugin")));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kInternal);
  EXPECT_EQ(missing.error().message, "open /plugin: no such file or directory");
  EXPECT_EQ(NotGone(Result<int>(Fail(Code::kDeadlineExceeded, "slow"))).error().code, Code::kDeadlineExceeded);
}

}  // namespace
}  // namespace portcullis::runtime
