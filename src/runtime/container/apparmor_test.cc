#include "runtime/container/apparmor.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

class AppArmorTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(list_)); }
  std::string Problem(const std::string& name) const {
    const auto checked = CheckAppArmorProfile(name, list_);
    return checked ? "" : checked.error().message;
  }
  const std::string list_ = ::testing::TempDir() + "/apparmor-" + base::RandomHex(4);
};

TEST_F(AppArmorTest, OnlyWholeNamesCount) {
  ASSERT_TRUE(base::WriteFileAtomic(list_, "mine (enforce)\nodd (name) (complain)\n/usr/bin/man (enforce)\n"));
  EXPECT_EQ(Problem("mine"), "");
  EXPECT_EQ(Problem("odd (name)"), "");
  EXPECT_EQ(Problem("/usr/bin/man"), "");
  for (const char* name : {"min", "mine (enforce)", "odd", "man", ""}) {
    EXPECT_EQ(Problem(name), "AppArmor profile " + base::Quote(name) + " is not loaded on this host");
  }
}

TEST_F(AppArmorTest, AHostWithoutAppArmorIsTold) {
  EXPECT_TRUE(Problem("mine").starts_with("AppArmor profile \"mine\": this host has no AppArmor")) << Problem("mine");
}

}  // namespace
}  // namespace portcullis::runtime
