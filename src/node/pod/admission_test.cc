#include "node/pod/admission.h"

#include <gtest/gtest.h>

namespace portcullis::node {
namespace {

k8s::PodSpec WithPort(const std::string& protocol, int host_port, const std::string& host_ip) {
  k8s::PodSpec spec;
  spec.containers.resize(1);
  spec.containers[0].ports = {{.protocol = protocol, .container_port = 80, .host_port = host_port, .host_ip = host_ip}};
  return spec;
}

TEST(HostPorts, ConflictOnTheSamePortOfOverlappingAddresses) {
  struct Row {
    k8s::PodSpec a;
    k8s::PodSpec b;
    bool conflict;
  };
  for (const Row& row : {Row{WithPort("TCP", 80, ""), WithPort("TCP", 80, ""), true},
                         Row{WithPort("TCP", 80, "0.0.0.0"), WithPort("TCP", 80, "192.0.2.1"), true},
                         Row{WithPort("TCP", 80, "192.0.2.1"), WithPort("TCP", 80, "192.0.2.1"), true},
                         Row{WithPort("TCP", 80, "192.0.2.1"), WithPort("TCP", 80, "192.0.2.2"), false},
                         Row{WithPort("TCP", 80, ""), WithPort("UDP", 80, ""), false},
                         Row{WithPort("TCP", 80, ""), WithPort("TCP", 81, ""), false},
                         Row{WithPort("TCP", 0, ""), WithPort("TCP", 0, ""), false}}) {
    EXPECT_EQ(HostPortsConflict(row.a, row.b), row.conflict);
    EXPECT_EQ(HostPortsConflict(row.b, row.a), row.conflict);
  }
}

TEST(HostPorts, AreUsedWhenAnyContainerNamesOne) {
  EXPECT_TRUE(UsesHostPorts(WithPort("TCP", 80, "")));
  EXPECT_FALSE(UsesHostPorts(WithPort("TCP", 0, "")));
  EXPECT_FALSE(UsesHostPorts({}));
}

}  // namespace
}  // namespace portcullis::node
