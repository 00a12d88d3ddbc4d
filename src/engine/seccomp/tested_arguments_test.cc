#include "engine/seccomp/tested_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/seccomp/library.h"

namespace portcullis::seccomp {
namespace {

TEST(TestedArguments, AreThoseOfEveryRuntimeTogether) {
  const auto tested = TestedArguments();
  EXPECT_EQ(tested.at("socket"), 0b101);     // family everywhere, protocol in containers-common
  EXPECT_EQ(tested.at("personality"), 0b1);  // all
  EXPECT_EQ(tested.at("clone"), 0b11);       // flags, which s390 has second
  EXPECT_FALSE(tested.contains("read"));
}

TEST(TestedArguments, LeaveOutNoRuleOfTheNewestReleases) {
  const auto tested = TestedArguments();
  for (const std::string& runtime : LibraryRuntimes()) {
    const auto found = FindDefaultProfile(runtime);
    ASSERT_TRUE(found) << runtime;
    for (const Rule& rule : found->profile.syscalls) {
      for (const Arg& arg : rule.args) {
        for (const std::string& name : rule.names) {
          ASSERT_TRUE(tested.contains(name)) << runtime << " " << name;
          EXPECT_NE(tested.at(name) & (1U << arg.index), 0U) << runtime << " " << name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace portcullis::seccomp
