#include "spec/oci/image_types.h"

#include <gtest/gtest.h>

#include "spec/oci/digest.h"

namespace portcullis::oci {
namespace {

const std::string kDigestA = "sha256:" + std::string(64, 'a');
const std::string kDigestB = "sha256:" + std::string(64, 'b');

std::string Descriptor1(const std::string& digest, const std::string& extra = "") {
  return R"({"mediaType":"x","digest":")" + digest + R"(","size":7)" + extra + "}";
}

TEST(Digest, AcceptsOnlySha256InLowerCase) {
  EXPECT_TRUE(IsDigest(kDigestA));
  EXPECT_FALSE(IsDigest("sha256:" + std::string(63, 'a')));
  EXPECT_FALSE(IsDigest("sha256:" + std::string(64, 'A')));
  EXPECT_FALSE(IsDigest("sha512:" + std::string(64, 'a')));
  EXPECT_FALSE(IsDigest("sha256:../../../../../../../../../../../../../../../../../../../../etc/"));
  EXPECT_EQ(DigestOf(""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, ChainOfOneLayerIsItsDiffId) {
  const std::vector<std::string> chain = ChainIds(std::vector<std::string>{kDigestA, kDigestB});
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_EQ(chain[0], kDigestA);
  EXPECT_EQ(chain[1], DigestOf(kDigestA + " " + kDigestB));
}

TEST(Manifest, RoundTrip) {
  Manifest manifest{.media_type = std::string(media::kOciManifest),
                    .config = {.media_type = "c", .digest = kDigestA, .size = 3, .platform = {}, .annotations = {}},
                    .layers = {{.media_type = "l", .digest = kDigestB, .size = 9, .platform = {}, .annotations = {}}},
                    .annotations = {{"k", "v"}}};
  auto decoded = DecodeManifest(EncodeManifest(manifest), "");
  ASSERT_TRUE(decoded) << decoded.error().message;
  const auto* back = std::get_if<Manifest>(&*decoded);
  ASSERT_NE(back, nullptr);
  EXPECT_EQ(back->config.digest, kDigestA);
  EXPECT_EQ(back->layers.at(0).size, 9);
  EXPECT_EQ(back->annotations.at("k"), "v");
}

struct BadManifest {
  const char* name;
  std::string json;
  std::string message_part;
};

TEST(Manifest, RefusesWhatIsNotOne) {
  const std::vector<BadManifest> cases = {
      {"not json", "{", ""},
      {"not an object", "[]", "must be an object"},
      {"schema 1", R"({"schemaVersion":1})", "of Docker's schema 1, which is not supported"},
      {"no schema", R"({})", "schemaVersion must be 2, not absent"},
      {"no config", R"({"schemaVersion":2,"layers":[]})", "config: is missing"},
      {"both", R"({"schemaVersion":2,"manifests":[],"config":{}})", "both config and manifests"},
      {"bad digest", R"({"schemaVersion":2,"config":)" + Descriptor1("sha256:../x") + "}", "sha256"},
      {"negative size", R"({"schemaVersion":2,"config":{"digest":")" + kDigestA + R"(","size":-1}})",
       "size in bytes, not -1"},
      {"no size", R"({"schemaVersion":2,"config":{"digest":")" + kDigestA + R"("}})", "size: is missing"},
      {"size as text", R"({"schemaVersion":2,"config":{"digest":")" + kDigestA + R"(","size":"1"}})", "size in bytes"},
      {"layers not a list", R"({"schemaVersion":2,"config":)" + Descriptor1(kDigestA) + R"(,"layers":{}})",
       "must be a list"},
      {"unknown type", R"({"schemaVersion":2,"mediaType":"text/html","config":)" + Descriptor1(kDigestA) + "}",
       "text/html"},
      {"duplicate key", R"({"schemaVersion":2,"schemaVersion":2})", ""},
  };
  for (const BadManifest& c : cases) {
    auto result = DecodeManifest(c.json, "");
    ASSERT_FALSE(result) << c.name;
    EXPECT_NE(result.error().message.find(c.message_part), std::string::npos)
        << c.name << ": " << result.error().message;
  }
}

TEST(Manifest, BodyMustAgreeWithTheAnnouncedType) {
  const std::string json = R"({"schemaVersion":2,"mediaType":")" + std::string(media::kOciManifest) + R"(","config":)" +
                           Descriptor1(kDigestA) + R"(,"layers":null})";
  EXPECT_TRUE(DecodeManifest(json, media::kOciManifest));
  EXPECT_FALSE(DecodeManifest(json, media::kOciIndex));
}

TEST(Manifest, RefusesTooLarge) {
  EXPECT_EQ(DecodeManifest(std::string(kMaxManifestBytes + 1, ' '), "").error().code, Code::kResourceExhausted);
}

TEST(ImageConfig, ReadsWhatAContainerNeeds) {
  auto config = DecodeImageConfig(R"({"architecture":"amd64","os":"linux","created":"2020-01-01T00:00:00Z",
    "config":{"User":"1000:1000","Env":["A=b"],"Entrypoint":["/e"],"Cmd":null,"WorkingDir":"/w","StopSignal":"SIGQUIT",
      "ExposedPorts":{"80/tcp":{}},"Volumes":{"/data":{}},"Labels":{"l":"v"},"Healthcheck":{"Test":["x"]}},
    "rootfs":{"type":"layers","diff_ids":[")" +
                                  kDigestA + R"("]},"history":[]})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->user, "1000:1000");
  EXPECT_EQ(config->env, std::vector<std::string>{"A=b"});
  EXPECT_EQ(config->entrypoint, std::vector<std::string>{"/e"});
  EXPECT_TRUE(config->cmd.empty());
  EXPECT_EQ(config->working_dir, "/w");
  EXPECT_EQ(config->stop_signal, "SIGQUIT");
  EXPECT_EQ(config->exposed_ports, std::vector<std::string>{"80/tcp"});
  EXPECT_EQ(config->volumes, std::vector<std::string>{"/data"});
  EXPECT_EQ(config->labels.at("l"), "v");
  EXPECT_EQ(config->diff_ids, std::vector<std::string>{kDigestA});
}

TEST(ImageConfig, RefusesMalformed) {
  for (const char* json :
       {R"({})", R"({"rootfs":{"type":"x","diff_ids":[]}})", R"({"rootfs":{"type":"layers","diff_ids":["a"]}})",
        R"({"config":{"Env":[1]},"rootfs":{"type":"layers"}})", R"({"config":[],"rootfs":{"type":"layers"}})",
        R"({"config":{"Labels":{"a":1}},"rootfs":{"type":"layers"}})"}) {
    EXPECT_FALSE(DecodeImageConfig(json)) << json;
  }
}

Descriptor For(const char* os, const char* arch, const char* variant, const std::string& digest) {
  return {.media_type = "", .digest = digest, .size = 1, .platform = Platform{os, arch, variant}, .annotations = {}};
}

TEST(ChoosePlatform, PrefersTheExactFit) {
  const std::string none = "sha256:" + std::string(64, 'c');
  Index index{.media_type = "",
              .manifests = {For("windows", "arm64", "", kDigestB), For("linux", "arm64", "", none),
                            For("linux", "arm64", "v8", kDigestA)}};
  EXPECT_EQ(ChoosePlatform(index, "arm64", "v8")->digest, kDigestA);
  EXPECT_EQ(ChoosePlatform(index, "arm64")->digest, none);
  auto missing = ChoosePlatform(index, "amd64");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().message.find("linux/arm64/v8"), std::string::npos) << missing.error().message;
}

}  // namespace
}  // namespace portcullis::oci
