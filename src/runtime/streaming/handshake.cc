#include "runtime/streaming/handshake.h"

#include <algorithm>

#include "base/strings.h"

namespace portcullis::runtime {
namespace {

constexpr char kSpdy[] = "SPDY/3.1";

std::string HeaderOf(const http::Request& request, const std::string& name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? std::string() : found->second;
}

std::vector<std::string> ListOf(const std::string& header) {
  std::vector<std::string> items;
  for (const std::string& item : base::Split(header, ',')) {
    if (const auto trimmed = base::Trim(item); !trimmed.empty()) items.emplace_back(trimmed);
  }
  return items;
}

bool Names(const std::string& header, const std::string& wanted) {
  const auto items = ListOf(header);
  return std::any_of(items.begin(), items.end(),
                     [&](const std::string& item) { return base::ToLower(item) == base::ToLower(wanted); });
}

http::Response Refuse(int status, std::string text) { return {.status = status, .body = std::move(text) + "\n"}; }

std::variant<http::Response, Agreed> NegotiateSpdy(const http::Request& request, StreamingKind kind) {
  static const std::vector<std::string> kStdio = {"v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io",
                                                  "channel.k8s.io"};
  static const std::vector<std::string> kForward = {"portforward.k8s.io"};
  const auto& ours = kind == StreamingKind::kPortForward ? kForward : kStdio;
  const auto theirs = ListOf(HeaderOf(request, "x-stream-protocol-version"));
  if (theirs.empty()) return Refuse(400, "unable to upgrade: X-Stream-Protocol-Version is required");
  for (const std::string& protocol : theirs) {
    if (std::find(ours.begin(), ours.end(), protocol) == ours.end()) continue;
    return Agreed{.protocol = protocol, .headers = {{"Upgrade", kSpdy}, {"X-Stream-Protocol-Version", protocol}}};
  }
  auto refusal = Refuse(403, fmt::format("unable to upgrade: unable to negotiate protocol: client supports [{}], "
                                         "server accepts [{}]",
                                         base::Join(theirs, " "), base::Join(ours, " ")));
  for (const std::string& protocol : ours) {
    refusal.headers.emplace_back("X-Accepted-Stream-Protocol-Versions", protocol);
  }
  return refusal;
}

}  // namespace

bool HasJsonStatus(const std::string& protocol) { return protocol.starts_with("v4.") || protocol.starts_with("v5."); }

std::variant<http::Response, Agreed> Negotiate(const http::Request& request, StreamingKind kind) {
  const std::string upgrade = HeaderOf(request, "upgrade");
  if (Names(HeaderOf(request, "connection"), "upgrade") && Names(upgrade, kSpdy)) return NegotiateSpdy(request, kind);
  return Refuse(400, fmt::format("unable to upgrade: missing upgrade headers in request: connection {}, upgrade {}",
                                 base::Quote(HeaderOf(request, "connection")), base::Quote(upgrade)));
}

}  // namespace portcullis::runtime
