#include "runtime/service/pod_files.h"

#include <gtest/gtest.h>

namespace portcullis::runtime {
namespace {

TEST(PodFilesTest, ResolvConf) {
  EXPECT_EQ(*ResolvConf(std::nullopt, "nameserver 1.1.1.1\n"), "nameserver 1.1.1.1\n");
  EXPECT_EQ(*ResolvConf(cri::DNSConfig{}, "host"), "host");
  EXPECT_EQ(*ResolvConf(cri::DNSConfig{.servers = {"10.0.0.10", "fd00::a"},
                                       .searches = {"default.svc.cluster.local", "svc.cluster.local"},
                                       .options = {"ndots:5", "edns0"}},
                        "host"),
            "search default.svc.cluster.local svc.cluster.local\nnameserver 10.0.0.10\nnameserver fd00::a\n"
            "options ndots:5 edns0\n");
  EXPECT_EQ(*ResolvConf(cri::DNSConfig{.options = {"ndots:1"}}, "host"), "options ndots:1\n");
  EXPECT_FALSE(ResolvConf(cri::DNSConfig{.servers = {"1.1.1.1\nnameserver 6.6.6.6"}}, ""));
}

TEST(PodFilesTest, HostsNameThePod) {
  const std::string text = HostsFile({"10.88.0.5", "fd00::5"}, "web");
  EXPECT_NE(text.find("127.0.0.1\tlocalhost\n"), std::string::npos);
  EXPECT_NE(text.find("10.88.0.5\tweb\n"), std::string::npos);
  EXPECT_NE(text.find("fd00::5\tweb\n"), std::string::npos);
  EXPECT_EQ(HostsFile({"10.88.0.5"}, "").find("10.88"), std::string::npos);
}

TEST(PodFilesTest, Hostnames) {
  for (const char* good : {"", "web", "a.b-c", "0"}) EXPECT_TRUE(CheckHostname(good)) << good;
  for (const std::string& bad : {std::string("a b"), std::string("a\nb"), std::string("a/b"), std::string(65, 'a')}) {
    EXPECT_FALSE(CheckHostname(bad)) << bad;
  }
}

}  // namespace
}  // namespace portcullis::runtime
