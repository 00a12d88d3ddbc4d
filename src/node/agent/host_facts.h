// What the node finds out about its machine.
#pragma once

#include <cstdint>
#include <string>

namespace portcullis::node {

int64_t MemoryCapacity();    // bytes of RAM
int64_t CpuCapacityMilli();  // thousandths of processors
int64_t PidCapacity();       // processes and threads that the kernel allows at a time
bool UnifiedCgroups();       // cgroup v2 only: /sys/fs/cgroup is its root
// The address that traffic to the outside would have; else the first address that is not loopback; else "".
std::string HostIp();

}  // namespace portcullis::node
