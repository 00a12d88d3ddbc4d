#include "cli/crictl/client_config.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace portcullis::cli {
namespace {

class ClientConfigFile : public testing::Test {
 protected:
  ClientConfigFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "crictl-config-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
    path_ = (dir_ / "crictl.yaml").string();
  }
  ~ClientConfigFile() override { std::filesystem::remove_all(dir_); }
  void Write(const std::string& text) { std::ofstream(path_) << text; }

  std::filesystem::path dir_;
  std::string path_;
};

TEST_F(ClientConfigFile, IsRead) {
  Write("runtime-endpoint: unix:///run/x.sock\ntimeout: 10\ndebug: true\n");
  const auto config = LoadClientConfig(path_, true);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->runtime_endpoint, "unix:///run/x.sock");
  EXPECT_EQ(config->timeout, std::chrono::seconds(10));
  EXPECT_TRUE(config->debug);
  EXPECT_EQ(config->image_endpoint, "");
}

TEST_F(ClientConfigFile, MayBeAbsentUnlessNamed) {
  EXPECT_TRUE(LoadClientConfig(path_, false));
  EXPECT_EQ(LoadClientConfig(path_, true).error().code, Code::kNotFound);
}

TEST_F(ClientConfigFile, MistakesAreTold) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"runtime-endpont: x", "unknown setting \"runtime-endpont\" (did you mean \"runtime-endpoint\"?)"},
      {"timeout: soon", "timeout \"soon\": expected a duration such as 10s"},
      {"debug: maybe", "debug: expected true or false, got \"maybe\""},
      {"[]", "expected a list of settings"},
  };
  for (const auto& [text, part] : cases) {
    Write(text);
    const auto config = LoadClientConfig(path_, true);
    ASSERT_FALSE(config) << text;
    EXPECT_NE(config.error().message.find(part), std::string::npos) << config.error().message;
  }
}

TEST_F(ClientConfigFile, VerbSetsAndGets) {
  std::ostringstream out;
  ASSERT_TRUE(RunConfigVerb(out, path_, {.set = {"runtime-endpoint=unix:///a", "debug=true"}}));
  ASSERT_TRUE(RunConfigVerb(out, path_, {.get = "runtime-endpoint"}));
  EXPECT_EQ(out.str(), "unix:///a\n");
  EXPECT_TRUE(LoadClientConfig(path_, true)->debug);
  EXPECT_FALSE(RunConfigVerb(out, path_, {.set = {"nope=1"}}));
  EXPECT_FALSE(RunConfigVerb(out, path_, {.set = {"timeout=x"}}));
  EXPECT_FALSE(RunConfigVerb(out, path_, {}));
}

// The file stays one that crictl itself reads: its timeout is a number, its switches are true or false.
TEST_F(ClientConfigFile, VerbSetsSeveral) {
  std::ostringstream out;
  ASSERT_TRUE(RunConfigVerb(out, path_, {.set = {"timeout=10s,debug=1"}}));
  ASSERT_TRUE(RunConfigVerb(out, path_, {.key = "image-endpoint", .value = "unix:///b"}));
  std::stringstream text;
  text << std::ifstream(path_).rdbuf();
  EXPECT_EQ(text.str(), "debug: true\nimage-endpoint: unix:///b\ntimeout: 10\n");
  for (const char* name : {"timeout", "pull-image-on-create", "runtime-endpoint"}) {
    ASSERT_TRUE(RunConfigVerb(out, path_, {.get = name}));
  }
  EXPECT_EQ(out.str(), "10\nfalse\n\n");
  for (const char* bad : {"timeout=1500ms", "debug=maybe", "debug", "debug=true,nope=1"}) {
    EXPECT_FALSE(RunConfigVerb(out, path_, {.set = {bad}})) << bad;
  }
}

}  // namespace
}  // namespace portcullis::cli
