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
  const CniDns network{.nameservers = {"10.1.2.1"}, .domain = "d.example", .search = {}, .options = {"edns0"}};
  const auto from_network = DnsOf(std::nullopt, network);
  ASSERT_TRUE(from_network);
  EXPECT_EQ(from_network->servers, std::vector<std::string>{"10.1.2.1"});
  EXPECT_EQ(from_network->searches, std::vector<std::string>{"d.example"});
  EXPECT_EQ(from_network->options, std::vector<std::string>{"edns0"});
  EXPECT_EQ(DnsOf(cri::DNSConfig{}, network)->servers, std::vector<std::string>{"10.1.2.1"}) << "an empty one is none";
  EXPECT_EQ(DnsOf(cri::DNSConfig{.options = {"x"}}, network)->servers, std::vector<std::string>{});
  EXPECT_FALSE(DnsOf(std::nullopt, {}));
}

}  // namespace
}  // namespace portcullis::runtime
