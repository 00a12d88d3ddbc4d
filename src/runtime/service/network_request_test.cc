#include "runtime/service/network_request.h"

#include <gtest/gtest.h>

namespace portcullis::runtime {
namespace {

TEST(BandwidthOf, QuantitiesOfBitsPerSecond) {
  const auto both =
      BandwidthOf({{"kubernetes.io/ingress-bandwidth", "10M"}, {"kubernetes.io/egress-bandwidth", "1Ki"}});
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->ingress_bits, 10'000'000);
  EXPECT_EQ(both->egress_bits, 1024);
  EXPECT_EQ(BandwidthOf({})->ingress_bits, 0);
  for (const auto& [value, part] : {std::pair("999", "unreasonably small"),
                                    {"2P", "unreasonably large"},
                                    {"-1M", "small"},
                                    {"fast", "is no quantity"},
                                    {"", "is no quantity"}}) {
    const auto refused = BandwidthOf({{"kubernetes.io/egress-bandwidth", value}});
    ASSERT_FALSE(refused) << value;
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find("annotation kubernetes.io/egress-bandwidth: "), std::string::npos);
  }
}

TEST(CniRequestOf, TakesAllFromTheSandbox) {
  SandboxRow row;
  row.id = "ab12";
  row.netns_path = "/run/netns/ab12";
  row.config.metadata = cri::PodSandboxMetadata{.name = "web", .uid = "u", .namespace_ = "default"};
  row.config.port_mappings = {
      {.protocol = cri::Protocol::kUdp, .container_port = 53, .host_port = 5353, .host_ip = "127.0.0.1"}};
  row.config.dns_config = cri::DNSConfig{.servers = {"10.0.0.10"}, .searches = {"a"}, .options = {"ndots:5"}};
  row.config.linux.emplace().cgroup_parent = "/kubepods/pod1";
  row.config.annotations = {{"kubernetes.io/ingress-bandwidth", "1M"}};
  const auto request = CniRequestOf(row, {"10.244.0.0/24"});
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->container_id, "ab12");
  EXPECT_EQ(request->pod_uid, "u");
  ASSERT_EQ(request->port_mappings.size(), 1u);
  EXPECT_EQ(request->port_mappings[0],
            (CniPortMapping{.host_port = 5353, .container_port = 53, .protocol = "udp", .host_ip = "127.0.0.1"}));
  EXPECT_EQ(request->dns.nameservers, std::vector<std::string>{"10.0.0.10"});
  EXPECT_EQ(request->ip_ranges, std::vector<std::string>{"10.244.0.0/24"});
  EXPECT_EQ(request->cgroup_path, "/kubepods/pod1");
  EXPECT_EQ(request->bandwidth.ingress_bits, 1'000'000);
  EXPECT_EQ(request->annotations, row.config.annotations);
  row.config.annotations["kubernetes.io/egress-bandwidth"] = "x";
  EXPECT_FALSE(CniRequestOf(row, {}));
}

TEST(DnsOf, ThePodsOwnComesFirst) {
  SandboxRow row;
  EXPECT_FALSE(DnsOf(row)) << "no network of its own";
  row.network_result = R"({"cniVersion":"0.4.0","ips":[]})";
  EXPECT_FALSE(DnsOf(row));
  row.network_result =
      R"({"cniVersion":"0.4.0","dns":{"nameservers":["10.1.2.1"],"domain":"d.example","options":["edns0"]}})";
  for (const bool given : {false, true}) {
    if (given) row.config.dns_config.emplace();  // an empty one is none
    const auto dns = DnsOf(row);
    ASSERT_TRUE(dns);
    EXPECT_EQ(dns->servers, std::vector<std::string>{"10.1.2.1"});
    EXPECT_EQ(dns->searches, std::vector<std::string>{"d.example"});
    EXPECT_EQ(dns->options, std::vector<std::string>{"edns0"});
  }
  row.config.dns_config->options = {"x"};
  EXPECT_EQ(DnsOf(row)->servers, std::vector<std::string>{});
}

}  // namespace
}  // namespace portcullis::runtime
