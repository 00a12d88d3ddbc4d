// An HTTP/1.1 and HTTP/2 client for registries and manifests, on libcurl: one request at a time, nothing kept between
// them.
//
//   ASSIGN_OR_RETURN(ClientResponse answer, http::Send({.url = "https://host/v2/"}, {}));
//
// Redirects are followed, five at most, and https is never left for http. `authorization`, a client's certificate and
// insecure_skip_verify only count for the scheme, host and port of `url`. An answer of any status is a ClientResponse;
// no answer is kUnavailable. A transfer that stands still for a minute is given up. Thread-safe.
//
// Proxies are those of HTTP_PROXY, HTTPS_PROXY and NO_PROXY in either case; loopback is never asked through a proxy.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::http {

struct TlsOptions {
  std::string ca_file;  // PEM, trusted besides the system's authorities; "" for none
  std::string cert_file;
  std::string key_file;
  bool insecure_skip_verify = false;
};

struct ClientRequest {
  std::string url;
  std::vector<std::string> headers;  // "Accept: text/plain"
  std::string authorization;         // "Bearer …", "Basic …" or ""
  std::string form;                  // when not empty, a POST of application/x-www-form-urlencoded
  bool head = false;                 // HEAD: status and headers alone
  size_t max_body_bytes = 4u << 20;
  std::chrono::milliseconds connect_timeout{std::chrono::seconds(30)};
  std::stop_token stop;                  // kCancelled, within about a second
  std::vector<std::string> own_headers;  // as `headers`, but like `authorization` for the URL's own origin alone
  std::chrono::milliseconds timeout{0};  // of each hop; 0: none but that of a transfer that stands still
};

struct ClientResponse {
  long status = 0;
  // Names in lower case. Of repeated headers the last, but challenges (www-authenticate) are joined with ", ".
  std::map<std::string, std::string> headers;
  std::string body;  // empty when it went to a sink
};

// Takes the body of a 200 or 206 in pieces; an error ends the transfer and is returned.
using BodySink = std::function<Result<void>(const ClientResponse& head, std::span<const char> data)>;

Result<ClientResponse> Send(const ClientRequest& request, const TlsOptions& tls, const BodySink& sink = {});

// What a Retry-After header says (RFC 9110, 10.2.3): a number of seconds, or an HTTP date, as a wait from `now` (Unix
// seconds); never negative. nullopt for anything else.
std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view header, int64_t now);

// Who is asked: "https", "r.example" (lower case), "443". All empty when the text is no URL.
struct Origin {
  std::string scheme, host, port;
  bool operator==(const Origin&) const = default;
};
Origin OriginOf(const std::string& url);

// "localhost", "127.0.0.1", "[::1]", with or without ":port".
bool IsLoopback(std::string_view host);

// The URL as messages may show it: without user, password, query and fragment, any of which may be a secret.
std::string ShownUrl(std::string_view url);

// Percent-encoding of a query's or form's value.
std::string Escape(std::string_view text);

}  // namespace portcullis::http
