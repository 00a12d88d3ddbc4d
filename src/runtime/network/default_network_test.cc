#include "runtime/network/default_network.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

using Json = nlohmann::json;

class DefaultNetworkTest : public testing::Test {
 protected:
  void SetUp() override { dir_ = testing::TempDir() + "portcullis-default-network-" + base::RandomHex(6); }
  void TearDown() override { EXPECT_TRUE(base::RemoveTree(dir_)); }
  DefaultNetworkOptions Options(const std::string& subnets) const {
    return {.conf_dir = dir_, .bridge = "b0", .subnets = subnets};
  }
  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::MakeDirs(dir_));
    ASSERT_TRUE(base::WriteFileAtomic(dir_ + "/" + name, text));
  }
  std::string File() const { return base::ReadFile(dir_ + "/87-portcullis-bridge.conflist").value_or(""); }

  std::string dir_;
};

TEST_F(DefaultNetworkTest, OnlyWhereThereIsNone) {
  auto written = DefaultNetwork::Install(Options("10.99.0.0/20"));
  ASSERT_TRUE(written) << written.error().message;
  auto network = LoadCniFolder(dir_).network;
  ASSERT_TRUE(network);
  EXPECT_EQ(network->file, dir_ + "/87-portcullis-bridge.conflist");
  EXPECT_EQ(network->cni_version, "1.0.0");
  ASSERT_EQ(network->plugins.size(), 2u);
  EXPECT_EQ(File(), *DefaultNetworkConfig(Options("10.99.0.0/20")));
}

TEST_F(DefaultNetworkTest, AnothersNetworkOrABrokenOneIsLeftAlone) {
  for (const char* text : {R"({"cniVersion":"1.0.0","name":"mine","plugins":[{"type":"bridge"}]})", "{"}) {
    Write("10-mine.conflist", text);
    ASSERT_TRUE(DefaultNetwork::Install(Options("10.99.0.0/20")));
    EXPECT_EQ(File(), "") << text;
  }
}

TEST_F(DefaultNetworkTest, NewSettingsReplaceAFileOfOursAndNoEditedOne) {
  ASSERT_TRUE(DefaultNetwork::Install(Options("10.99.0.0/20")));
  ASSERT_TRUE(DefaultNetwork::Install(Options("fd00:99::/64,10.99.0.0/20")));
  EXPECT_NE(File().find("fd00:99::/64"), std::string::npos);
  ASSERT_TRUE(DefaultNetwork::Install(Options("10.98.0.0/20")));
  EXPECT_EQ(File(), *DefaultNetworkConfig(Options("10.98.0.0/20")));
  Json edited = Json::parse(File());
  edited["plugins"][0]["mtu"] = 1400;
  Write("87-portcullis-bridge.conflist", edited.dump());
  ASSERT_TRUE(DefaultNetwork::Install(Options("10.99.0.0/20")));
  EXPECT_EQ(File(), edited.dump());
}

TEST_F(DefaultNetworkTest, AKubeletsSubnetsReplaceThoseOfAFileOfOurs) {
  auto network = DefaultNetwork::Install(Options("10.99.0.0/20"));
  ASSERT_TRUE(network);
  ASSERT_TRUE((*network)->UseSubnets("10.244.3.0/24,fd00:244::/64"));
  DefaultNetworkOptions told = Options("10.244.3.0/24,fd00:244::/64");
  told.force_address = true;
  EXPECT_EQ(File(), *DefaultNetworkConfig(told));
  EXPECT_EQ(Json::parse(File())["plugins"][0]["forceAddress"], true);
  ASSERT_TRUE((*network)->UseSubnets("10.244.4.0/24"));
  EXPECT_EQ(LoadCniFolder(dir_).network->plugins.size(), 2u);
  EXPECT_FALSE((*network)->UseSubnets("10.244.4.0/33"));
  // A later start knows it as its own.
  ASSERT_TRUE(DefaultNetwork::Install(Options("10.98.0.0/20")));
  EXPECT_EQ(File(), *DefaultNetworkConfig(Options("10.98.0.0/20")));
}

TEST_F(DefaultNetworkTest, AKubeletsSubnetsChangeNoOtherFile) {
  auto network = DefaultNetwork::Install(Options("10.99.0.0/20"));
  ASSERT_TRUE(network);
  Json edited = Json::parse(File());
  edited["plugins"][0]["mtu"] = 1400;
  Write("87-portcullis-bridge.conflist", edited.dump());
  ASSERT_TRUE((*network)->UseSubnets("10.244.3.0/24"));
  EXPECT_EQ(File(), edited.dump());
  ASSERT_TRUE(base::RemoveTree(dir_));
  ASSERT_TRUE((*network)->UseSubnets("10.244.3.0/24"));
  EXPECT_EQ(File(), "");
}

TEST(DefaultNetworkConfig, ARangeAndARouteForEachFamily) {
  const auto text = DefaultNetworkConfig({.subnets = "10.88.0.0/16, fd00:88::/64"});
  ASSERT_TRUE(text) << text.error().message;
  const Json ipam = Json::parse(*text)["plugins"][0]["ipam"];
  EXPECT_EQ(ipam["ranges"], Json::parse(R"([[{"subnet":"10.88.0.0/16"}],[{"subnet":"fd00:88::/64"}]])"));
  EXPECT_EQ(ipam["routes"], Json::parse(R"([{"dst":"0.0.0.0/0"},{"dst":"::/0"}])"));
}

TEST(DefaultNetworkConfig, RefusesBadSettings) {
  for (const char* subnets :
       {"", "10.88.0.0", "10.88.0.1/16", "10.88.0.0/31", "10.0.0.0/4", "fd00::1/64", "fd00::/127", "10.88.0.0/x",
        "300.0.0.0/16", "10.88.0.0/16,", "10.88.0.0/16,10.89.0.0/16", "10.88.0.0/16,fd00::/64,fd01::/64"}) {
    EXPECT_FALSE(DefaultNetworkConfig({.subnets = subnets})) << subnets;
  }
  for (const char* bridge : {"", "sixteen-letters-", "a/b", "a b", "-b", "..", "b\"0"})
    EXPECT_FALSE(DefaultNetworkConfig({.bridge = bridge})) << bridge;
  EXPECT_FALSE(DefaultNetworkConfig({.name = "a b"}));
  EXPECT_TRUE(DefaultNetworkConfig({}));
}

TEST(WithoutPerPodRules, TakesOutWhatTheNodeDoes) {
  const auto network = ParseCniNetwork(*DefaultNetworkConfig({}), "f");
  ASSERT_TRUE(network);
  const CniNetwork plain = WithoutPerPodRules(*network, {.port_mappings = {{.host_port = 0, .container_port = 80}}});
  ASSERT_EQ(plain.plugins.size(), 1u);
  EXPECT_EQ(plain.plugins[0].type, "bridge");
  EXPECT_EQ(Json::parse(plain.plugins[0].config)["ipMasq"], false);
  EXPECT_EQ(Json::parse(plain.plugins[0].config)["ipam"], Json::parse(network->plugins[0].config)["ipam"]);
  EXPECT_EQ(plain.file, "f");

  const CniNetwork ports = WithoutPerPodRules(*network, {.port_mappings = {{.host_port = 80, .container_port = 80}}});
  ASSERT_EQ(ports.plugins.size(), 2u);
  EXPECT_EQ(ports.plugins[1].type, "portmap");
  EXPECT_EQ(Json::parse(ports.plugins[0].config)["ipMasq"], false);
  EXPECT_EQ(ParseCniNetwork(ports.source, "f")->plugins.size(), 2u) << "what DEL will read";
}

}  // namespace
}  // namespace portcullis::runtime
