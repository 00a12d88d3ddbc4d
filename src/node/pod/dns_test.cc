#include "node/pod/dns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/pod/pod_for_test.h"

namespace portcullis::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

cri::DNSConfig Dns(const std::string& spec, const PodSettings& settings, std::vector<std::string>* warnings = nullptr) {
  cri::DNSConfig node =
      ParseResolvConf("# x\nnameserver 192.0.2.1\nsearch a.example b.example\noptions ndots:1 rotate\n");
  std::vector<std::string> own;
  return PodDns(*PodForTest(spec + "  containers:\n  - {name: c, image: \"i:1\"}\n"), node, settings,
                warnings ? warnings : &own);
}

TEST(ResolvConf, LastSearchCountsAndCommentsDoNot) {
  cri::DNSConfig dns =
      ParseResolvConf("nameserver 1.1.1.1 ; c\n;nameserver 2.2.2.2\ndomain x\nsearch a .\n\nnameserver\t::1\n");
  EXPECT_THAT(dns.servers, ElementsAre("1.1.1.1", "::1"));
  EXPECT_THAT(dns.searches, ElementsAre("a"));
}

TEST(PodDns, FollowsThePolicy) {
  PodSettings alone;
  EXPECT_THAT(Dns("", alone).servers, ElementsAre("192.0.2.1"));
  PodSettings cluster;
  cluster.cluster_dns = {"10.0.0.10"};
  cluster.cluster_domain = "c.local";
  cri::DNSConfig dns = Dns("", cluster);
  EXPECT_THAT(dns.servers, ElementsAre("10.0.0.10"));
  EXPECT_THAT(dns.searches, ElementsAre("default.svc.c.local", "svc.c.local", "c.local", "a.example", "b.example"));
  EXPECT_THAT(dns.options, ElementsAre("ndots:5"));
  EXPECT_THAT(Dns("  hostNetwork: true\n", cluster).servers, ElementsAre("192.0.2.1"));
  EXPECT_THAT(Dns("  hostNetwork: true\n  dnsPolicy: ClusterFirstWithHostNet\n", cluster).servers,
              ElementsAre("10.0.0.10"));
  dns = Dns("  dnsPolicy: None\n  dnsConfig: {nameservers: [192.0.2.9], options: [{name: ndots, value: \"2\"}]}\n",
            cluster);
  EXPECT_THAT(dns.servers, ElementsAre("192.0.2.9"));
  EXPECT_THAT(dns.searches, IsEmpty());
  EXPECT_THAT(dns.options, ElementsAre("ndots:2"));
  EXPECT_THAT(Dns("  dnsPolicy: Default\n  dnsConfig: {options: [{name: ndots, value: \"9\"}]}\n", alone).options,
              ElementsAre("rotate", "ndots:9"));
}

TEST(PodDns, DropsWhatIsOverTheLimitsAndSaysSo) {
  PodSettings cluster;
  cluster.cluster_dns = {"1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"};
  std::vector<std::string> warnings;
  EXPECT_THAT(Dns("", cluster, &warnings).servers, SizeIs(3));
  EXPECT_THAT(warnings, SizeIs(1));
}

}  // namespace
}  // namespace portcullis::node
