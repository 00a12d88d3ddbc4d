#include "runtime/network/host_ports.h"

#include <arpa/inet.h>

#include <array>
#include <string_view>

#include "base/strings.h"

namespace portcullis::runtime {
namespace {

struct Address {
  int family = AF_UNSPEC;  // AF_UNSPEC: every address of the host
  std::array<unsigned char, sizeof(in6_addr)> bytes{};

  bool any() const { return family == AF_UNSPEC || bytes == std::array<unsigned char, sizeof(in6_addr)>{}; }
};

// What is no address counts as all of them; portmap will refuse it.
Address AddressOf(const std::string& text) {
  Address address;
  if (::inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) {
    address.family = AF_INET;
  } else if (::inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) {
    address.family = AF_INET6;
  }
  return address;
}

}  // namespace

bool HostPortsOverlap(const CniPortMapping& a, const CniPortMapping& b) {
  if (a.host_port <= 0 || a.host_port != b.host_port || a.protocol != b.protocol) return false;
  const Address left = AddressOf(a.host_ip);
  const Address right = AddressOf(b.host_ip);
  if (left.family == AF_UNSPEC || right.family == AF_UNSPEC) return true;
  return left.family == right.family && (left.any() || right.any() || left.bytes == right.bytes);
}

Result<void> HostPorts::Take(const std::string& id, const std::string& pod,
                             const std::vector<CniPortMapping>& mappings) {
  Owner taking{.pod = pod, .mappings = {}};
  for (const CniPortMapping& mapping : mappings) {
    if (mapping.host_port > 0) taking.mappings.push_back(mapping);
  }
  const std::scoped_lock lock(mutex_);
  for (const auto& [other_id, owner] : owners_) {
    if (other_id == id) continue;
    for (const CniPortMapping& wanted : taking.mappings) {
      for (const CniPortMapping& taken : owner.mappings) {
        if (!HostPortsOverlap(wanted, taken)) continue;
        return Fail(Code::kFailedPrecondition, "host port {}/{}{} of pod {} is taken by pod {} (sandbox {})",
                    wanted.host_port, wanted.protocol, wanted.host_ip.empty() ? "" : " on " + wanted.host_ip, pod,
                    owner.pod, other_id);
      }
    }
  }
  owners_.erase(id);
  if (!taking.mappings.empty()) owners_[id] = std::move(taking);
  return {};
}

void HostPorts::Release(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  owners_.erase(id);
}

}  // namespace portcullis::runtime
