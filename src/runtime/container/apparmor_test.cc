#include "runtime/container/apparmor.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "runtime/container/apparmor_default.h"
#include "runtime/container/oci_runtime.h"

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

// A parser that does what it is told, and a kernel that is two files.
class AppArmorHost : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(base::MakeDirs(dir_)); }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(dir_)); }
  AppArmorFiles Files(const std::string& enabled, const std::string& profiles) {
    EXPECT_TRUE(base::WriteFileAtomic(dir_ + "/enabled", enabled));
    EXPECT_TRUE(base::WriteFileAtomic(dir_ + "/profiles", profiles));
    return {.enabled = dir_ + "/enabled", .profiles = dir_ + "/profiles"};
  }
  std::string Parser(const std::string& script) {
    EXPECT_TRUE(base::WriteFileAtomic(dir_ + "/parser", "#!/bin/sh\n" + script + "\n", 0755));
    return dir_ + "/parser";
  }
  std::string Get(const AppArmor& apparmor, const std::string& wanted) {
    warnings_.clear();
    const auto profile = apparmor.ProfileFor(wanted, warnings_);
    return profile ? *profile : "error: " + profile.error().message;
  }
  const std::string dir_ = ::testing::TempDir() + "/apparmor-" + base::RandomHex(4);
  std::vector<std::string> warnings_;
};

TEST_F(AppArmorHost, TheDefaultIsLoadedAndUsedUnlessSaidOtherwise) {
  const AppArmor apparmor = AppArmor::Start(Parser("echo \"$@\" >" + dir_ + "/arguments; cat >" + dir_ + "/loaded"),
                                            Files("Y\n", "mine (enforce)\n"));
  EXPECT_TRUE(apparmor.enabled());
  EXPECT_EQ(apparmor.problem(), "");
  EXPECT_EQ(*base::ReadFile(dir_ + "/loaded"), DefaultAppArmorText());
  EXPECT_EQ(*base::ReadFile(dir_ + "/arguments"), "--replace --skip-cache\n");
  EXPECT_EQ(Get(apparmor, ""), "portcullis-default");
  EXPECT_EQ(Get(apparmor, "runtime/default"), "portcullis-default");
  EXPECT_EQ(Get(apparmor, "unconfined"), "");
  EXPECT_EQ(Get(apparmor, "localhost/mine"), "mine");
  EXPECT_EQ(Get(apparmor, "localhost/other"), "error: AppArmor profile \"other\" is not loaded on this host");
  EXPECT_EQ(Get(apparmor, "localhost/"), "error: invalid AppArmor profile \"localhost/\"");
  EXPECT_EQ(Get(apparmor, "nonsense"), "error: invalid AppArmor profile \"nonsense\"");
  EXPECT_EQ(warnings_, std::vector<std::string>());
}

TEST_F(AppArmorHost, AHostWhereItIsOffWarnsOnlyWhoAsked) {
  const AppArmor apparmor = AppArmor::Start(Parser("exit 1"), Files("N\n", ""));
  EXPECT_EQ(Get(apparmor, ""), "");
  EXPECT_EQ(warnings_, std::vector<std::string>());
  EXPECT_EQ(Get(apparmor, "runtime/default"), "");
  EXPECT_EQ(warnings_,
            std::vector<std::string>({"AppArmor: the container runs without a profile: AppArmor is off on this host"}));
}

TEST_F(AppArmorHost, AParserThatIsMissingOrFailsIsTold) {
  const AppArmorFiles files = Files("Y\n", "");
  const AppArmor missing = AppArmor::Start("", files);
  EXPECT_EQ(Get(missing, ""), "");
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(warnings_[0],
            "AppArmor: the container runs without a profile: the profile portcullis-default could not be loaded: "
            "apparmor_parser is not installed (Debian: apt-get install apparmor)");
  const AppArmor failing = AppArmor::Start(Parser("cat >/dev/null; echo no permission >&2; exit 3"), files);
  EXPECT_TRUE(failing.problem().ends_with("/parser ended with 3: no permission")) << failing.problem();
  const AppArmor loaded = AppArmor::Start("", Files("Y\n", "portcullis-default (enforce)\n"));
  EXPECT_EQ(Get(loaded, ""), "portcullis-default") << "of an earlier start";
}

TEST(AppArmorDefault, AllBut) {
  EXPECT_EQ(AllBut("/sys/fs/", "cg"), (std::vector<std::string>{"/sys/fs/[^c]**", "/sys/fs/c[^g]**"}));
  EXPECT_EQ(AllBut("/x/", ""), std::vector<std::string>());
}

TEST(AppArmorDefault, TheParserTakesIt) {
  const std::string parser = FindProgram("apparmor_parser");
  if (parser.empty()) GTEST_SKIP() << "apparmor_parser is not installed";
  base::CommandOptions command;
  command.spawn.argv = {parser, "--skip-kernel-load", "--skip-cache", "--base", ::testing::TempDir()};
  command.input = DefaultAppArmorText();
  const auto result = base::RunCommand(command);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->exit_code, 0) << result->err;
}

}  // namespace
}  // namespace portcullis::runtime
