// One repository at one endpoint: GET and HEAD with whatever authentication the registry asks for.
//
// A 401 is answered once with what its challenge asks for, a busy registry (429, or 503 with Retry-After) is waited for
// as long as it says, a minute at most. Tokens are kept in the cache by endpoint, repository and login.
//
// Sources: OCI distribution-spec; distribution's token and OAuth2 documents; RFC 9110 for challenges. Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/client.h"
#include "runtime/registry/challenge.h"
#include "runtime/registry/endpoints.h"
#include "runtime/registry/token_cache.h"

namespace portcullis::runtime {

struct RegistryClientOptions {
  Endpoint endpoint;
  std::string repository;  // "library/nginx"
  Credentials credentials;
  std::chrono::milliseconds connect_timeout{std::chrono::seconds(30)};
  std::stop_token stop;
};

struct RegistryRequest {
  std::string path;  // below /v2/<repository>/: "manifests/latest"
  std::vector<std::string> headers;
  size_t max_body_bytes = 4u << 20;
  bool head = false;
};

class RegistryClient {
 public:
  // `tokens` must outlive the client.
  RegistryClient(RegistryClientOptions options, TokenCache& tokens);

  // A status other than 200 and 206 is an error with the registry's own words: 401 kUnauthenticated, 403
  // kPermissionDenied, 404 kNotFound, 416 kOutOfRange, 429 kResourceExhausted, 5xx kUnavailable.
  Result<http::ClientResponse> Send(const RegistryRequest& request, const http::BodySink& sink = {});

  const std::string& url() const { return options_.endpoint.url; }
  const std::string& repository() const { return options_.repository; }
  const std::stop_token& stop() const { return options_.stop; }

 private:
  struct Token {
    std::string authorization;
    std::chrono::seconds life;
  };
  // What to send instead of `refused`.
  Result<std::string> Authorize(const std::string& www_authenticate, const std::string& refused);
  Result<Token> AnswerChallenges(const std::string& www_authenticate) const;
  Result<Token> FetchToken(const Challenge& challenge) const;
  std::string Basic() const;

  RegistryClientOptions options_;
  TokenCache& tokens_;
  std::string cache_key_;
  std::mutex authorizing_;
};

}  // namespace portcullis::runtime
