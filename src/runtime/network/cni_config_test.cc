#include "runtime/network/cni_config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/strings.h"

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
      {R"({"cniVersion":"2.0.0","name":"n","plugins":[{"type":"a"}]})",
       "cniVersion must be 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0 or 1.1.0, not \"2.0.0\""},
      {R"({"cniVersion":1,"name":"n","plugins":[{"type":"a"}]})", "cniVersion must be a string, not 1"},
      {R"({"cniVersions":"1.0.0","name":"n","plugins":[{"type":"a"}]})", "cniVersions must be a list"},
      {R"({"cniVersions":[1],"name":"n","plugins":[{"type":"a"}]})", "cniVersions must be a list of strings"},
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
  static std::string List(const std::string& name) {
    return R"({"cniVersion":"1.0.0","plugins":[{"type":"bridge"}],"name":")" + name + "\"}";
  }

  std::string dir_;
};

TEST(CniConfig, Versions) {
  const auto versions = [](const std::string& fields) {
    auto network = ParseCniNetwork("{" + fields + R"("name":"n","plugins":[{"type":"a"}]})", "x.conflist");
    return network ? base::Join(network->versions, " ") + " -> " + network->cni_version : network.error().message;
  };
  EXPECT_EQ(versions(""), "0.1.0 -> 0.1.0") << "as libcni takes it";
  EXPECT_EQ(versions(R"("cniVersion":"0.4.0",)"), "0.4.0 -> 0.4.0");
  EXPECT_EQ(versions(R"("cniVersion":"1.0.0","cniVersions":["0.3.1","1.1.0","2.0.0","1.0.0"],)"),
            "0.3.1 1.0.0 1.1.0 -> 1.1.0");
  EXPECT_EQ(versions(R"("cniVersions":["1.0.0","0.4.0"],)"), "0.4.0 1.0.0 -> 1.0.0");
}

TEST_F(ConfDirTest, LexicallyFirstOfAllSuffixes) {
  CniFolder folder = LoadCniFolder(dir_);
  EXPECT_FALSE(folder.network);
  EXPECT_EQ(NoNetwork(folder, "D").code, Code::kNotFound) << "no folder";
  Write("00-readme.txt", "not a network");
  EXPECT_FALSE(LoadCniFolder(dir_).network);
  Write("20-b.conflist", List("b"));
  Write("10-a.json", Named("a"));
  EXPECT_EQ(LoadCniFolder(dir_).network->name, "a");
  Write("05-c.conf", Named("c"));
  EXPECT_EQ(LoadCniFolder(dir_).network->name, "c");
  ASSERT_TRUE(base::RemoveTree(dir_ + "/05-c.conf"));
  ASSERT_TRUE(base::RemoveTree(dir_ + "/10-a.json"));
  EXPECT_EQ(LoadCniFolder(dir_).network->name, "b");
}

TEST_F(ConfDirTest, BrokenFilesAreNamedAndSkipped) {
  Write("10-a.conflist", "{");
  Write("20-list.conf", List("x"));
  Write("30-plugin.conflist", Named("x"));
  CniFolder folder = LoadCniFolder(dir_);
  EXPECT_FALSE(folder.network);
  const Error none = NoNetwork(folder, dir_);
  EXPECT_EQ(none.code, Code::kFailedPrecondition);
  for (const char* part : {"no valid network configuration in ", "10-a.conflist", "20-list.conf: has plugins",
                           "30-plugin.conflist: has no plugins"}) {
    EXPECT_NE(none.message.find(part), std::string::npos) << none.message;
  }
  Write("40-b.conflist", List("b"));
  Write("50-later.conf", "{");
  folder = LoadCniFolder(dir_);
  ASSERT_TRUE(folder.network);
  EXPECT_EQ(folder.network->name, "b");
  EXPECT_EQ(folder.skipped.size(), 3u) << "what comes after it is not looked at";
}

}  // namespace
}  // namespace portcullis::runtime
