#include "http/client.h"

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <optional>

#include "base/strings.h"
#include "base/try.h"

namespace portcullis::http {
namespace {

constexpr int kMaxRedirects = 5;
constexpr long kConnectSeconds = 30;
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
    exchange.response.headers[base::ToLower(base::Trim(line.substr(0, colon)))] =
        std::string(base::Trim(line.substr(colon + 1)));
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

void SetTls(CURL* easy, const TlsOptions& tls) {
  if (!tls.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (!tls.cert_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.cert_file.c_str());
  if (!tls.key_file.empty()) curl_easy_setopt(easy, CURLOPT_SSLKEY, tls.key_file.c_str());
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls.insecure_skip_verify ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls.insecure_skip_verify ? 0L : 2L);
}

struct Origin {
  std::string scheme, host, port;
  bool operator==(const Origin&) const = default;
};

Result<Origin> OriginOf(const std::string& url) {
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return Fail(Code::kInvalidArgument, "{} is not a URL", base::Quote(url));
  }
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string out;
    if (curl_url_get(parsed.get(), which, &text, CURLU_DEFAULT_PORT) == CURLUE_OK) out = text;
    curl_free(text);
    return out;
  };
  return Origin{part(CURLUPART_SCHEME), base::ToLower(part(CURLUPART_HOST)), part(CURLUPART_PORT)};
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
  if (!request.authorization.empty()) add("Authorization: " + request.authorization);
  Exchange exchange{.sink = &sink, .max_body_bytes = request.max_body_bytes};
  char problem[CURL_ERROR_SIZE] = "";
  CURL* curl = easy.get();
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "portcullis");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  if (!request.form.empty()) curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, request.form.c_str());
  SetTls(curl, tls);
  const CURLcode code = curl_easy_perform(curl);
  if (exchange.error) return Failure(*exchange.error);
  if (code != CURLE_OK) {
    return Fail(Code::kUnavailable, "{}: {}", request.url.substr(0, request.url.find('?')),
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
  ASSIGN_OR_RETURN(const Origin home, OriginOf(request.url));
  ClientRequest next = request;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    std::string redirect;
    ASSIGN_OR_RETURN(ClientResponse response, SendOnce(next, tls, sink, &redirect));
    if (redirect.empty() || !request.form.empty()) return response;
    ASSIGN_OR_RETURN(const Origin from, OriginOf(next.url));
    ASSIGN_OR_RETURN(const Origin to, OriginOf(redirect));
    if (from.scheme == "https" && to.scheme != "https") {
      return Fail(Code::kPermissionDenied, "{} redirects from https to {}", from.host, to.scheme);
    }
    next.url = redirect;
    if (to != home) next.authorization.clear();
  }
  return Fail(Code::kUnavailable, "{}: more than {} redirects", home.host, kMaxRedirects);
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
