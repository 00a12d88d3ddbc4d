#include "runtime/service/network_counters.h"

#include "base/files.h"
#include "base/strings.h"

namespace portcullis::runtime {
namespace {

// "eth0: rx_bytes packets errs drop fifo frame compressed multicast tx_bytes packets errs ..."
std::optional<cri::NetworkInterfaceUsage> ParseLine(std::string_view line) {
  constexpr size_t kRxBytes = 0, kRxErrors = 2, kTxBytes = 8, kTxErrors = 10;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::vector<uint64_t> numbers;
  for (const std::string& word : base::Split(line.substr(colon + 1), ' ')) {
    if (word.empty()) continue;
    const auto number = base::ParseUint(word);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  if (numbers.size() <= kTxErrors) return std::nullopt;
  cri::NetworkInterfaceUsage usage;
  usage.name = std::string(base::Trim(line.substr(0, colon)));
  usage.rx_bytes = cri::UInt64Value{.value = numbers[kRxBytes]};
  usage.rx_errors = cri::UInt64Value{.value = numbers[kRxErrors]};
  usage.tx_bytes = cri::UInt64Value{.value = numbers[kTxBytes]};
  usage.tx_errors = cri::UInt64Value{.value = numbers[kTxErrors]};
  return usage;
}

}  // namespace

cri::NetworkUsage ParseNetDev(std::string_view text, int64_t now_nanos) {
  cri::NetworkUsage usage{.timestamp = now_nanos};
  for (const std::string& line : base::Split(text, '\n')) {
    auto interface = ParseLine(line);
    if (!interface || interface->name == "lo") continue;
    if (!usage.default_interface || interface->name == "eth0") {
      if (usage.default_interface) usage.interfaces.push_back(std::move(*usage.default_interface));
      usage.default_interface = std::move(*interface);
    } else {
      usage.interfaces.push_back(std::move(*interface));
    }
  }
  return usage;
}

std::optional<cri::NetworkUsage> ReadNetworkUsage(int64_t pid, int64_t now_nanos) {
  auto text = base::ReadFile(fmt::format("/proc/{}/net/dev", pid), 1u << 20);
  if (!text) return std::nullopt;
  return ParseNetDev(*text, now_nanos);
}

}  // namespace portcullis::runtime
