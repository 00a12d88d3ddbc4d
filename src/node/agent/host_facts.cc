#include "node/agent/host_facts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/magic.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "base/files.h"
#include "base/strings.h"
#include "base/unique_fd.h"

namespace portcullis::node {
namespace {

std::string ToText(const in_addr& address) {
  char text[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, &address, text, sizeof text) != nullptr ? text : "";
}

// Connecting a datagram socket sends nothing; it only makes the kernel choose the route, and with it the source
// address.
std::string SourceAddressOfDefaultRoute() {
  base::UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return "";
  sockaddr_in far{};
  far.sin_family = AF_INET;
  far.sin_port = htons(9);
  far.sin_addr.s_addr = htonl(0xC6336401);  // 198.51.100.1, reserved for documentation
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&far), sizeof far) != 0) return "";
  sockaddr_in own{};
  socklen_t size = sizeof own;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) return "";
  return ToText(own.sin_addr);
}

std::string FirstAddress() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return "";
  std::string out;
  for (const ifaddrs* one = all; one != nullptr && out.empty(); one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    out = ToText(reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr);
  }
  ::freeifaddrs(all);
  return out;
}

}  // namespace

int64_t MemoryCapacity() { return int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE); }

int64_t CpuCapacityMilli() { return int64_t{::sysconf(_SC_NPROCESSORS_ONLN)} * 1000; }

int64_t PidCapacity() {
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const char* file : {"/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"}) {
    const auto text = base::ReadFile(file, 64);
    const auto value = text ? base::ParseUint(base::Trim(*text)) : std::nullopt;
    if (value && *value > 0) least = std::min(least, static_cast<int64_t>(std::min<uint64_t>(*value, 1u << 30)));
  }
  return least == std::numeric_limits<int64_t>::max() ? 1 << 15 : least;
}

bool UnifiedCgroups() {
  struct statfs info{};
  return ::statfs("/sys/fs/cgroup", &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

std::string HostIp() {
  std::string address = SourceAddressOfDefaultRoute();
  return address.empty() ? FirstAddress() : address;
}

}  // namespace portcullis::node
