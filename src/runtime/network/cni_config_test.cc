#include "runtime/network/cni_config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/strings.h"
#include "runtime/network/default_network.h"

namespace portcullis::runtime {
namespace {

TEST(CniConfig, ReadsAList) {
  auto network = ParseCniNetwork(R"({"cniVersion":"1.0.0","name":"pods","plugins":[
      {"type":"bridge","bridge":"b0","unknownKey":[1]},{"type":"portmap","capabilities":{"portMappings":true}}]})",
                                 "x.conflist");
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->name, "pods");
  ASSERT_EQ(network->plugins.size(), 2u);
  EXPECT_EQ(network->plugins[0].type, "bridge");
  EXPECT_NE(network->plugins[0].config.find("unknownKey"), std::string::npos) << "unknown keys belong to the plugin";
  EXPECT_TRUE(network->plugins[1].capabilities.at("portMappings"));
}

TEST(CniConfig, WrapsASinglePlugin) {
  auto network = ParseCniNetwork(R"({"cniVersion":"1.0.0","name":"n","type":"ptp"})", "x.conf");
  ASSERT_TRUE(network);
  ASSERT_EQ(network->plugins.size(), 1u);
  EXPECT_EQ(network->plugins[0].type, "ptp");
}

TEST(CniConfig, RefusesMalformed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", ""},
      {"[]", "must be an object"},
      {R"({"cniVersion":"1.0.0","plugins":[{"type":"a"}]})", "name"},
      {R"({"cniVersion":"1.0.0","name":"../x","plugins":[{"type":"a"}]})", "\"../x\""},
      {R"({"name":"n","plugins":[{"type":"a"}]})", "cniVersion must be 1.0.0 or 1.1.0, not \"\""},
      {R"({"cniVersion":"0.3.1","name":"n","plugins":[{"type":"a"}]})", "0.3.1"},
      {R"({"cniVersion":"1.0.0","name":"n"})", "type is missing"},
      {R"({"cniVersion":"1.0.0","name":"n","plugins":[]})", "plugins must be a list"},
      {R"({"cniVersion":"1.0.0","name":"n","plugins":[{}]})", "plugins[0]: type is missing"},
      {R"({"cniVersion":"1.0.0","name":"n","plugins":[{"type":"../../bin/sh"}]})", "not the name of an executable"},
      {R"({"cniVersion":"1.0.0","name":"n","plugins":[{"type":1}]})", "type must be a string, not 1"},
      {R"({"cniVersion":"1.0.0","name":"n","plugins":[{"type":"a","capabilities":{"portMappings":"yes"}}]})",
       "portMappings must be"},
      {R"({"cniVersion":"1.0.0","name":"n","disableCheck":3,"plugins":[{"type":"a"}]})", "disableCheck"},
  };
  for (const auto& [text, part] : cases) {
    auto network = ParseCniNetwork(text, "net.conflist");
    ASSERT_FALSE(network) << text;
    EXPECT_NE(network.error().message.find(part), std::string::npos) << network.error().message;
    EXPECT_NE(network.error().message.find("net.conflist"), std::string::npos) << network.error().message;
  }
}

class ConfDirTest : public testing::Test {
 protected:
  void SetUp() override { dir_ = testing::TempDir() + "portcullis-cni-" + base::RandomHex(6); }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(dir_)); }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(base::MakeDirs(dir_));
    ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/" + name, text));
  }
  static std::string Named(const std::string& name) {
    return R"({"cniVersion":"1.0.0","type":"bridge","name":")" + name + "\"}";
  }

  std::string dir_;
};

TEST_F(ConfDirTest, LexicallyFirstOfAllSuffixes) {
  EXPECT_EQ(FindCniNetwork(dir_).error().code, Code::kNotFound) << "no folder";
  Write("00-readme.txt", "not a network");
  EXPECT_EQ(FindCniNetwork(dir_).error().code, Code::kNotFound) << "no network in it";
  Write("20-b.conflist", Named("b"));
  Write("10-a.json", Named("a"));
  EXPECT_EQ(FindCniNetwork(dir_)->name, "a");
  Write("05-c.conf", Named("c"));
  EXPECT_EQ(FindCniNetwork(dir_)->name, "c");
}

TEST_F(ConfDirTest, ABrokenFirstFileIsNotSkipped) {
  Write("10-a.conflist", "{");
  Write("20-b.conflist", Named("b"));
  auto network = FindCniNetwork(dir_);
  ASSERT_FALSE(network);
  EXPECT_NE(network.error().code, Code::kNotFound);
}

TEST_F(ConfDirTest, DefaultNetworkOnlyWhereThereIsNone) {
  const DefaultNetworkOptions options{.conf_dir = dir_, .bridge = "b0", .subnet = "10.99.0.0/20"};
  auto written = InstallDefaultNetwork(options);
  ASSERT_TRUE(written) << written.error().message;
  ASSERT_TRUE(written->has_value());
  auto network = FindCniNetwork(dir_);
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->file, **written);
  EXPECT_EQ(network->cni_version, "1.0.0");
  ASSERT_EQ(network->plugins.size(), 2u);
  EXPECT_NE(network->source.find("10.99.0.0/20"), std::string::npos);
  auto again = InstallDefaultNetwork(options);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->has_value());
}

TEST_F(ConfDirTest, DefaultNetworkLeavesABrokenConfigurationAlone) {
  Write("10-mine.conflist", "{");
  auto written = InstallDefaultNetwork({.conf_dir = dir_});
  ASSERT_TRUE(written);
  EXPECT_FALSE(written->has_value());
}

TEST(DefaultNetwork, RefusesBadSettings) {
  for (const char* subnet :
       {"", "10.88.0.0", "10.88.0.1/16", "10.88.0.0/31", "10.0.0.0/4", "fd00::/64", "10.88.0.0/x", "300.0.0.0/16"}) {
    EXPECT_FALSE(DefaultNetworkConfig({.subnet = subnet})) << subnet;
  }
  for (const char* bridge : {"", "sixteen-letters-", "a/b", "a b"})
    EXPECT_FALSE(DefaultNetworkConfig({.bridge = bridge})) << bridge;
  EXPECT_FALSE(DefaultNetworkConfig({.name = "a b"}));
  EXPECT_TRUE(DefaultNetworkConfig({}));
}

}  // namespace
}  // namespace portcullis::runtime
