#include "runtime/network/subnets.h"

#include <arpa/inet.h>

#include <array>
#include <span>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr uint64_t kShortestPrefix = 8;
constexpr uint64_t kLongestV4 = 30;  // network, gateway, one pod, broadcast
constexpr uint64_t kLongestV6 = 126;

// No bit after the prefix is set.
bool IsNetwork(std::span<const unsigned char> address, uint64_t prefix) {
  for (size_t bit = prefix; bit < address.size() * 8; ++bit) {
    if ((address[bit / 8] >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

Result<Subnet> ParseSubnet(const std::string& text) {
  const size_t slash = text.find('/');
  const uint64_t prefix =
      slash == std::string::npos ? 0 : base::ParseUint(std::string_view(text).substr(slash + 1)).value_or(0);
  const std::string address = text.substr(0, slash);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  const bool v4 = ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
  const bool v6 = !v4 && ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
  const uint64_t longest = v4 ? kLongestV4 : kLongestV6;
  if ((v4 || v6) && prefix >= kShortestPrefix && prefix <= longest &&
      IsNetwork(std::span(bytes).first(v4 ? sizeof(in_addr) : sizeof(in6_addr)), prefix)) {
    return Subnet{.v6 = v6, .text = text};
  }
  return Fail(Code::kInvalidArgument,
              "pod subnet {}: must be a network such as 10.88.0.0/16, with a prefix of {} to {}, or fd00:88::/64, with "
              "one of {} to {}",
              base::Quote(text), kShortestPrefix, kLongestV4, kShortestPrefix, kLongestV6);
}

}  // namespace

Result<std::vector<Subnet>> ParseSubnets(std::string_view text) {
  std::vector<Subnet> out;
  for (const std::string& part : base::Split(text, ',')) {
    ASSIGN_OR_RETURN(Subnet subnet, ParseSubnet(std::string(base::Trim(part))));
    out.push_back(std::move(subnet));
  }
  if (out.empty() || out.size() > 2 || (out.size() == 2 && out[0].v6 == out[1].v6)) {
    return Fail(Code::kInvalidArgument, "pod subnets {}: must be one network, or one IPv4 and one IPv6 network",
                base::Quote(text));
  }
  return out;
}

}  // namespace portcullis::runtime
