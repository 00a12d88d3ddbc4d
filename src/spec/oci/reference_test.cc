#include "spec/oci/reference.h"

#include <gtest/gtest.h>

namespace portcullis::oci {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'd');

TEST(Reference, NormalForm) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"nginx", "docker.io/library/nginx:latest"},
      {"nginx:1.21", "docker.io/library/nginx:1.21"},
      {"library/nginx", "docker.io/library/nginx:latest"},
      {"user/app:v1", "docker.io/user/app:v1"},
      {"docker.io/redis:6.2", "docker.io/library/redis:6.2"},
      {"index.docker.io/redis", "docker.io/library/redis:latest"},
      {"registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"},
      {"localhost/a", "localhost/a:latest"},
      {"localhost:5000/a/b:t", "localhost:5000/a/b:t"},
      {"[::1]:5000/a", "[::1]:5000/a:latest"},
      {"Host/a", "Host/a:latest"},
      {"a-b__d_e/f---g.h", "docker.io/a-b__d_e/f---g.h:latest"},
      {"nginx@" + kDigest, "docker.io/library/nginx@" + kDigest},
      {"nginx:1.21@" + kDigest, "docker.io/library/nginx:1.21@" + kDigest},
  };
  for (const auto& [text, want] : cases) {
    auto reference = ParseReference(text);
    ASSERT_TRUE(reference) << text << ": " << reference.error().message;
    EXPECT_EQ(reference->String(), want);
    EXPECT_EQ(ParseReference(want)->String(), want) << "normalising twice changes nothing";
  }
}

TEST(Reference, Parts) {
  auto reference = ParseReference("nginx:1.21@" + kDigest);
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->Name(), "docker.io/library/nginx");
  EXPECT_EQ(reference->TagString(), "docker.io/library/nginx:1.21");
  EXPECT_EQ(reference->WithDigest(kDigest), "docker.io/library/nginx@" + kDigest);
  EXPECT_EQ(ParseReference("nginx@" + kDigest)->TagString(), "");
}

TEST(Reference, Malformed) {
  for (const std::string& text : std::vector<std::string>{"",
                                                          "Nginx",
                                                          "nginx:",
                                                          "nginx:a b",
                                                          "nginx:" + std::string(129, 'x'),
                                                          "nginx@sha256:abc",
                                                          "nginx@md5:0",
                                                          "a//b",
                                                          "/a",
                                                          "a/",
                                                          "-a",
                                                          "a-",
                                                          "a___b",
                                                          "a..b",
                                                          "a._b",
                                                          "host.io/",
                                                          "host:port/a",
                                                          "host:123456/a",
                                                          "a/../b",
                                                          "a/./b",
                                                          "nginx\n",
                                                          "nginx@" + kDigest + "@" + kDigest,
                                                          std::string(64, 'a'),
                                                          std::string(300, 'a'),
                                                          std::string(2000, 'a'),
                                                          "-x.io/a"}) {
    auto reference = ParseReference(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().code, Code::kInvalidArgument);
    EXPECT_TRUE(reference.error().message.starts_with("couldn't parse image name \"")) << reference.error().message;
  }
}

TEST(Reference, UpperCaseSaysSo) {
  EXPECT_EQ(ParseReference("Nginx").error().message,
            "couldn't parse image name \"Nginx\": invalid reference format: repository name (Nginx) must be lowercase");
}

}  // namespace
}  // namespace portcullis::oci
