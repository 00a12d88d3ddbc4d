#include "http/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>

#include "base/strings.h"
#include "base/try.h"
#include "http/url_part.h"

namespace portcullis::http {
namespace {

constexpr int kMaxRedirects = 5;
constexpr long kStallSeconds = 60;
constexpr size_t kMaxHeaderBytes = 64u << 10;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

// One exchange, as libcurl's callbacks see it.
struct Exchange {
  const BodySink* sink = nullptr;
  size_t max_body_bytes = 0;
  size_t header_bytes = 0;
  std::stop_token stop;
  ClientResponse response;
  std::optional<Error> error;
};

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view line(data, size * count);
  exchange.header_bytes += line.size();
  if (exchange.header_bytes > kMaxHeaderBytes) {
    exchange.error = Error{Code::kResourceExhausted, "the answer's headers are too long", 0};
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    const auto words = base::Split(base::Trim(line), ' ');
    exchange.response = {};
    if (words.size() > 1) exchange.response.status = static_cast<long>(base::ParseUint(words[1]).value_or(0));
    return line.size();
  }
  if (const size_t colon = line.find(':'); colon != std::string_view::npos) {
    const std::string name = base::ToLower(base::Trim(line.substr(0, colon)));
    const std::string_view value = base::Trim(line.substr(colon + 1));
    std::string& held = exchange.response.headers[name];
    if (name == "www-authenticate" && !held.empty()) {
      held += ", ";
      held += value;
    } else {
      held = value;
    }
  }
  return line.size();
}

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::span<const char> piece(data, size * count);
  const long status = exchange.response.status;
  if (*exchange.sink && (status == 200 || status == 206)) {
    auto taken = (*exchange.sink)(exchange.response, piece);
    if (taken) return piece.size();
    exchange.error = std::move(taken).error();
    return 0;
  }
  if (exchange.response.body.size() + piece.size() > exchange.max_body_bytes) {
    exchange.error =
        Error{Code::kResourceExhausted, fmt::format("the answer is longer than {} bytes", exchange.max_body_bytes), 0};
    return 0;
  }
  exchange.response.body.append(piece.data(), piece.size());
  return piece.size();
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(user)->stop.stop_requested() ? 1 : 0;
}

// The system's authorities stay: they are those of libcurl's CAPATH.
void SetTls(CURL* easy, const TlsOptions& tls) {
  if (!tls.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
  if (!tls.cert_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.cert_file.c_str());
  if (!tls.key_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLKEY, tls.key_file.c_str());
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls.insecure_skip_verify ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls.insecure_skip_verify ? 0L : 2L);
}

// Of HTTP_PROXY libcurl reads the lower case alone (a CGI program gets the other from its caller); kubelets and
// container runtimes read both.
void SetProxy(CURL* easy, const Origin& to) {
  if (IsLoopback(to.host)) {
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  } else if (to.scheme == "http" && std::getenv("http_proxy") == nullptr) {
    if (const char* proxy = std::getenv("HTTP_PROXY")) curl_easy_setopt(easy, CURLOPT_PROXY, proxy);
  }
}

Result<ClientResponse> SendOnce(const ClientRequest& request, const TlsOptions& tls, const BodySink& sink,
                                std::string* redirect) {
  const std::unique_ptr<CURL, FreeEasy> easy(curl_easy_init());
  if (!easy) return Fail(Code::kResourceExhausted, "no memory for an HTTP request");
  std::unique_ptr<curl_slist, FreeList> headers;
  const auto add = [&headers](const std::string& line) {
    headers.reset(curl_slist_append(headers.release(), line.c_str()));
  };
  for (const std::string& line : request.headers) add(line);
  for (const std::string& line : request.own_headers) add(line);
  if (!request.authorization.empty()) add("Authorization: " + request.authorization);
  Exchange exchange{.sink = &sink, .max_body_bytes = request.max_body_bytes, .stop = request.stop};
  char problem[CURL_ERROR_SIZE] = "";
  CURL* curl = easy.get();
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "portcullis");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  if (request.head) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  if (request.timeout.count() > 0) {
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  }
  if (!request.form.empty()) curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, request.form.c_str());
  SetTls(curl, tls);
  SetProxy(curl, OriginOf(request.url));
  const CURLcode code = curl_easy_perform(curl);
  if (exchange.error) return Failure(*exchange.error);
  if (code == CURLE_ABORTED_BY_CALLBACK) {
    return Fail(Code::kCancelled, "{}: given up, because the program ends", ShownUrl(request.url));
  }
  if (code != CURLE_OK) {
    return Fail(Code::kUnavailable, "{}: {}", ShownUrl(request.url),
                problem[0] != '\0' ? problem : curl_easy_strerror(code));
  }
  char* location = nullptr;
  if (curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location) == CURLE_OK && location != nullptr)
    *redirect = location;
  return std::move(exchange.response);
}

}  // namespace

Result<ClientResponse> Send(const ClientRequest& request, const TlsOptions& tls, const BodySink& sink) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const Origin home = OriginOf(request.url);
  if (home.host.empty()) return Fail(Code::kInvalidArgument, "{} is not a URL", base::Quote(request.url));
  ClientRequest next = request;
  TlsOptions next_tls = tls;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    std::string redirect;
    ASSIGN_OR_RETURN(ClientResponse response, SendOnce(next, next_tls, sink, &redirect));
    if (redirect.empty() || !request.form.empty()) return response;
    const Origin from = OriginOf(next.url);
    const Origin to = OriginOf(redirect);
    if (from.scheme == "https" && to.scheme != "https") {
      return Fail(Code::kPermissionDenied, "{} redirects from https to {}", from.host, to.scheme);
    }
    next.url = redirect;
    if (to != home) {
      next.authorization.clear();
      next.own_headers.clear();
      next_tls = {.ca_file = tls.ca_file};
    }
  }
  return Fail(Code::kUnavailable, "{}: more than {} redirects", home.host, kMaxRedirects);
}

Origin OriginOf(const std::string& url) {
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
  const auto part = [&](CURLUPart which) { return UrlPart(parsed.get(), which); };
  return {part(CURLUPART_SCHEME), base::ToLower(part(CURLUPART_HOST)), part(CURLUPART_PORT)};
}

std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view header, int64_t now) {
  header = base::Trim(header);
  constexpr uint64_t kLongest = uint64_t{10} * 365 * 24 * 60 * 60;
  if (const auto seconds = base::ParseUint(header)) return std::chrono::seconds(std::min(*seconds, kLongest));
  if (header.empty() || header.size() > 64) return std::nullopt;
  const time_t date = curl_getdate(std::string(header).c_str(), nullptr);
  if (date == -1) return std::nullopt;
  return std::chrono::seconds(std::clamp<int64_t>(date - now, 0, kLongest));
}

bool IsLoopback(std::string_view host) {
  const std::string_view name =
      host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  return name == "localhost" || name == "[::1]" || host == "::1" ||
         (name.starts_with("127.") && name.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::string ShownUrl(std::string_view url) {
  std::string out(url.substr(0, url.find_first_of("?#")));
  const size_t scheme = out.find("://");
  if (scheme == std::string::npos) return out;
  const size_t begin = scheme + 3;
  const size_t at = out.substr(0, out.find('/', begin)).rfind('@');
  if (at != std::string::npos && at >= begin) out.erase(begin, at + 1 - begin);
  return out;
}

std::string Escape(std::string_view text) {
  static constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace portcullis::http
