// What can be decided without a network: challenges, endpoints, logins. tests/e2e/test_pull.py has a real registry.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "runtime/registry/challenge.h"
#include "runtime/registry/credential_helper.h"
#include "runtime/registry/credentials.h"
#include "runtime/registry/endpoints.h"
#include "runtime/registry/token_cache.h"

namespace portcullis::runtime {
namespace {

TEST(Challenge, ReadsQuotedAndPlainParameters) {
  const auto challenges =
      ParseChallenges(R"(Bearer realm="https://a.example/token",service=reg, scope="repository:a/b:pull,push")");
  ASSERT_EQ(challenges.size(), 1u);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].Get("realm"), "https://a.example/token");
  EXPECT_EQ(challenges[0].Get("service"), "reg");
  EXPECT_EQ(challenges[0].Get("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(challenges[0].Get("error"), "");
  EXPECT_EQ(ParseChallenges("Basic realm=\"a \\\"b\\\"\"")[0].Get("realm"), "a \"b\"");
  EXPECT_EQ(ParseChallenges("Bearer scope=repository:a/b:pull")[0].Get("scope"), "repository:a/b:pull");
}

TEST(Challenge, SeveralInOneHeader) {
  const auto schemes = [](std::string_view header) {
    std::vector<std::string> out;
    for (const Challenge& challenge : ParseChallenges(header)) out.push_back(challenge.scheme);
    return base::Join(out, " ");
  };
  EXPECT_EQ(schemes("Negotiate, NTLM, Basic realm=x"), "negotiate ntlm basic");
  EXPECT_EQ(schemes("Negotiate YII=, Bearer realm=\"r\", service=\"s\", Basic realm=\"b\""), "negotiate bearer basic");
  EXPECT_EQ(ParseChallenges("Bearer realm=\"r\", service=\"s\", Basic realm=\"b\"")[1].Get("realm"), "b");
  EXPECT_EQ(schemes("Bearer realm=\"open"), "bearer");
  EXPECT_EQ(schemes(""), "");
  EXPECT_EQ(schemes("=, \""), "");
}

TEST(TokenCache, HoldsForAsLongAsTheServerSaid) {
  TokenCache cache;
  const TokenCache::Clock::time_point start{};
  EXPECT_EQ(cache.Get("a", start), "");
  cache.Put("a", "Bearer one", std::chrono::seconds(60), start);
  EXPECT_EQ(cache.Get("a", start + std::chrono::seconds(50)), "Bearer one");
  EXPECT_EQ(cache.Get("b", start), "");
  EXPECT_EQ(cache.Get("a", start + std::chrono::seconds(60)), "");
}

TEST(CredentialHelper, Answers) {
  const auto login = ParseHelperAnswer(R"({"ServerURL":"r","Username":"u","Secret":"s"})", "h");
  ASSERT_TRUE(login);
  EXPECT_EQ(login->username + "/" + login->password, "u/s");
  const auto token = ParseHelperAnswer(R"({"ServerURL":"r","Username":"<token>","Secret":"s"})", "h");
  EXPECT_EQ(token->identity_token, "s");
  EXPECT_EQ(token->username, "");
  const auto broken = ParseHelperAnswer("secret", "h");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message, "h: its answer is no JSON object");
}

TEST(DockerConfig, HelpersByRegistry) {
  const auto config = DockerConfig::Parse(
      R"({"credsStore":"all","credHelpers":{"https://index.docker.io/v1/":"hub","r.example":"own","plain.example":""}})",
      "config.json");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->Helper("docker.io"), "hub");
  EXPECT_EQ(config->Helper("r.example"), "own");
  EXPECT_EQ(config->Helper("plain.example"), "");
  EXPECT_EQ(config->Helper("else.example"), "all");
  for (const char* bad :
       {R"({"credsStore":"../sh"})", R"({"credHelpers":{"r":"a b"}})", R"({"credHelpers":{"r":3}})"}) {
    EXPECT_FALSE(DockerConfig::Parse(bad, "config.json")) << bad;
  }
  EXPECT_EQ(RegistryOfServerName("https://index.docker.io/v1/"), "docker.io");
  EXPECT_EQ(RegistryOfServerName("http://r.example:5000"), "r.example:5000");
  EXPECT_EQ(DockerServerName("docker.io"), "https://index.docker.io/v1/");
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
  EXPECT_EQ(Registries::Parse("configs: {registry-1.docker.io: {auth: {username: u, password: p}}}", "f")
                ->For("docker.io")[0]
                .credentials.username,
            "u");
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
