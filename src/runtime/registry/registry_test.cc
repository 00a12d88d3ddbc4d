// What can be decided without a network: challenges, endpoints, logins. tests/e2e/test_pull.py has a real registry.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "runtime/registry/credentials.h"
#include "runtime/registry/endpoints.h"
#include "runtime/registry/registry_client.h"

namespace portcullis::runtime {
namespace {

TEST(Challenge, ReadsQuotedAndPlainParameters) {
  const auto challenge =
      ParseChallenge(R"(Bearer realm="https://a.example/token",service=reg,scope="repository:a/b:pull,push")");
  ASSERT_TRUE(challenge);
  EXPECT_EQ(challenge->scheme, "bearer");
  EXPECT_EQ(challenge->parameters.at("realm"), "https://a.example/token");
  EXPECT_EQ(challenge->parameters.at("service"), "reg");
  EXPECT_EQ(challenge->parameters.at("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(ParseChallenge("Basic realm=\"a \\\"b\\\"\"")->parameters.at("realm"), "a \"b\"");
  EXPECT_FALSE(ParseChallenge("Bearer realm=\"open"));
  EXPECT_FALSE(ParseChallenge(""));
}

TEST(DockerConfig, TheLongestKeyWins) {
  const std::string json = R"({"auths":{"https://index.docker.io/v1/":{"auth":")" + base::ToBase64("hub:s3:cret") +
                           R"("},"r.example:5000":{"username":"a","password":"b"},)" +
                           R"("r.example:5000/team":{"identitytoken":"t"}}})";
  const auto config = DockerConfig::Parse(json, "config.json");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->Find("docker.io", "library/nginx").username, "hub");
  EXPECT_EQ(config->Find("docker.io", "library/nginx").password, "s3:cret");
  EXPECT_EQ(config->Find("r.example:5000", "other/x").username, "a");
  EXPECT_EQ(config->Find("r.example:5000", "team/x").identity_token, "t");
  EXPECT_EQ(config->Find("r.example:5000", "teams/x").username, "a");
  EXPECT_TRUE(config->Find("else.example", "x").empty());
}

TEST(DockerConfig, AnAuthThatIsNoneNamesTheRegistry) {
  const auto config = DockerConfig::Parse(R"({"auths":{"r.example":{"auth":"!"}}})", "config.json");
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().message.find("auths[r.example]"), std::string::npos) << config.error().message;
}

TEST(Registries, MirrorsComeFirstAndTheRegistryLast) {
  const auto registries = Registries::Parse(R"(
mirrors:
  docker.io: {endpoint: ["http://127.0.0.1:5000", "https://m.example/v2/"]}
  "*": {endpoint: ["https://all.example"]}
configs:
  m.example: {auth: {username: u, password: p}, tls: {ca_file: /ca.pem}}
)",
                                            "registries.yaml");
  ASSERT_TRUE(registries) << registries.error().message;
  const auto docker = registries->For("docker.io");
  ASSERT_EQ(docker.size(), 3u);
  EXPECT_EQ(docker[0].url, "http://127.0.0.1:5000");
  EXPECT_EQ(docker[0].mirrored, "docker.io");
  EXPECT_EQ(docker[1].url, "https://m.example");
  EXPECT_EQ(docker[1].credentials.username, "u");
  EXPECT_EQ(docker[1].tls.ca_file, "/ca.pem");
  EXPECT_EQ(docker[2].url, "https://registry-1.docker.io");
  EXPECT_EQ(docker[2].mirrored, "");
  EXPECT_EQ(registries->For("x.example")[0].url, "https://all.example");
  EXPECT_EQ(Registries().For("localhost:5000")[0].url, "http://localhost:5000");
  EXPECT_EQ(Registries().For("r.example:5000")[0].url, "https://r.example:5000");
}

TEST(Registries, MistakesNameLineAndField) {
  for (const auto& [text, words] : std::vector<std::pair<std::string, std::string>>{
           {"mirror: {}", "/mirror: unknown field"},
           {"mirrors: {a: {endpoint: [ftp://x]}}", "/mirrors/a/endpoint"},
           {"configs: {a: {tls: {insecure_skip_verify: 3}}}", "/configs/a/tls/insecure_skip_verify"},
           {"configs: {a: {auth: {auth: '!'}}}", "/configs/a/auth/auth"}}) {
    const auto parsed = Registries::Parse(text, "f.yaml");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message.find("f.yaml:1:"), 0u) << parsed.error().message;
    EXPECT_NE(parsed.error().message.find(words), std::string::npos) << parsed.error().message;
  }
}

}  // namespace
}  // namespace portcullis::runtime
