#include "runtime/service/pod_files.h"

#include <algorithm>
#include <cctype>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxHostname = 64;  // HOST_NAME_MAX

Result<void> AppendLine(std::string& text, std::string_view keyword, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.find_first_of("\n\r") != std::string::npos) {
      return Fail(Code::kInvalidArgument, "dns_config: {} value {} has a line break", keyword, base::Quote(word));
    }
  }
  text += fmt::format("{} {}\n", keyword, base::Join(words, " "));
  return {};
}

}  // namespace

Result<std::string> ResolvConf(const std::optional<cri::DNSConfig>& dns, const std::string& host_text) {
  if (!dns || (dns->servers.empty() && dns->searches.empty() && dns->options.empty())) return host_text;
  std::string text;
  if (!dns->searches.empty()) TRY(AppendLine(text, "search", dns->searches));
  for (const std::string& server : dns->servers) TRY(AppendLine(text, "nameserver", {server}));
  if (!dns->options.empty()) TRY(AppendLine(text, "options", dns->options));
  return text;
}

std::string HostsFile(const std::vector<std::string>& ips, const std::string& hostname) {
  std::string text =
      "127.0.0.1\tlocalhost\n"
      "::1\tlocalhost ip6-localhost ip6-loopback\n"
      "fe00::\tip6-localnet\n"
      "ff02::1\tip6-allnodes\n"
      "ff02::2\tip6-allrouters\n";
  if (hostname.empty()) return text;
  for (const std::string& ip : ips) text += fmt::format("{}\t{}\n", ip, hostname);
  return text;
}

Result<void> CheckHostname(const std::string& hostname) {
  const bool fits = hostname.size() <= kMaxHostname &&
                    std::all_of(hostname.begin(), hostname.end(),
                                [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.'; });
  if (fits) return {};
  return Fail(Code::kInvalidArgument, "hostname {} is not valid", base::Quote(hostname));
}

}  // namespace portcullis::runtime
