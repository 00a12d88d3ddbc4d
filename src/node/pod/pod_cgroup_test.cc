#include "node/pod/pod_cgroup.h"

#include <gtest/gtest.h>

namespace portcullis::node {
namespace {

TEST(PodCgroup, HierarchiesOfBothVersions) {
  EXPECT_EQ(CgroupMounts("28 1 0:26 / /sys ro shared:7 - sysfs sysfs rw\n"
                         "30 28 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
                         "31 30 0:29 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n"
                         "35 30 0:30 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
                         "36 30 0:30 /docker/x /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
                         "37 30\nshort - cgroup\n"),
            (std::vector<std::string>{"/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids"}));
  EXPECT_TRUE(CgroupMounts("").empty());
}

}  // namespace
}  // namespace portcullis::node
