#include "runtime/network/host_ports.h"

#include <gtest/gtest.h>

namespace portcullis::runtime {
namespace {

CniPortMapping Port(int32_t port, const std::string& protocol = "tcp", const std::string& host_ip = "") {
  return {.host_port = port, .container_port = 80, .protocol = protocol, .host_ip = host_ip};
}

TEST(HostPorts, Overlap) {
  struct Row {
    CniPortMapping a, b;
    bool overlap;
  };
  for (const Row& row : {Row{Port(80), Port(80), true}, Row{Port(80), Port(81), false}, Row{Port(0), Port(0), false},
                         Row{Port(80, "udp"), Port(80), false}, Row{Port(80, "udp"), Port(80, "udp"), true},
                         Row{Port(80), Port(80, "tcp", "10.0.0.1"), true},
                         Row{Port(80, "tcp", "0.0.0.0"), Port(80, "tcp", "10.0.0.1"), true},
                         Row{Port(80, "tcp", "10.0.0.2"), Port(80, "tcp", "10.0.0.1"), false},
                         Row{Port(80, "tcp", "::"), Port(80, "tcp", "fd00::1"), true},
                         Row{Port(80, "tcp", "fd00::1"), Port(80, "tcp", "fd00:0::1"), true},
                         Row{Port(80, "tcp", "::"), Port(80, "tcp", "10.0.0.1"), false},
                         Row{Port(80, "tcp", "0.0.0.0"), Port(80, "tcp", "fd00::1"), false}}) {
    EXPECT_EQ(HostPortsOverlap(row.a, row.b), row.overlap) << row.a.host_ip << " " << row.b.host_ip;
    EXPECT_EQ(HostPortsOverlap(row.b, row.a), row.overlap) << row.a.host_ip << " " << row.b.host_ip;
  }
}

TEST(HostPorts, AllOrNoneUntilReleased) {
  HostPorts ports;
  ASSERT_TRUE(ports.Take("a", "ns/a", {Port(80), Port(81)}));
  ASSERT_TRUE(ports.Take("a", "ns/a", {Port(80), Port(81)})) << "one's own are no conflict";
  const auto refused = ports.Take("b", "ns/b", {Port(82), Port(81, "tcp", "10.0.0.1")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "host port 81/tcp on 10.0.0.1 of pod ns/b is taken by pod ns/a (sandbox a)");
  ASSERT_TRUE(ports.Take("c", "ns/c", {Port(82)})) << "b took nothing";
  ports.Release("a");
  ports.Release("a");
  ASSERT_TRUE(ports.Take("b", "ns/b", {Port(81)}));
}

}  // namespace
}  // namespace portcullis::runtime
