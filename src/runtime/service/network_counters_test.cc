#include "runtime/service/network_counters.h"

#include <gtest/gtest.h>

#include "runtime/service/oom.h"

namespace portcullis::runtime {
namespace {

constexpr char kNetDev[] =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier "
    "compressed\n"
    "    lo:     100       2    0    0    0     0          0         0      100       2    0    0    0     0       0   "
    "       "
    "0\n"
    "  net1:       5       1    0    0    0     0          0         0        6       1    0    0    0     0       0   "
    "       "
    "0\n"
    "  eth0:    1096      12    3    0    0     0          0         0      472       6    4    0    0     0       0   "
    "       "
    "0\n"
    "broken: 1 2 3\n";

TEST(NetworkCountersTest, ReadsProcNetDev) {
  const cri::NetworkUsage usage = ParseNetDev(kNetDev, 77);
  EXPECT_EQ(usage.timestamp, 77);
  ASSERT_TRUE(usage.default_interface);
  EXPECT_EQ(usage.default_interface->name, "eth0");
  EXPECT_EQ(usage.default_interface->rx_bytes->value, 1096u);
  EXPECT_EQ(usage.default_interface->rx_errors->value, 3u);
  EXPECT_EQ(usage.default_interface->tx_bytes->value, 472u);
  EXPECT_EQ(usage.default_interface->tx_errors->value, 4u);
  ASSERT_EQ(usage.interfaces.size(), 1u);
  EXPECT_EQ(usage.interfaces[0].name, "net1");
  EXPECT_FALSE(ParseNetDev("", 0).default_interface);
}

TEST(OomTest, CountsKills) {
  EXPECT_EQ(OomKillCount("low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n"), 1u);
  EXPECT_EQ(OomKillCount("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"), 2u);
  EXPECT_EQ(OomKillCount("oom_kill_disable 1\nunder_oom 0\n"), 0u);
  EXPECT_EQ(OomKillCount(""), 0u);
}

}  // namespace
}  // namespace portcullis::runtime
