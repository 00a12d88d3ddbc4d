// One repository at one endpoint: GET with whatever authentication the registry asks for.
//
// Sources: OCI distribution-spec; distribution's token and OAuth2 documents; RFC 7235 for challenges. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/client.h"
#include "runtime/registry/endpoints.h"

namespace portcullis::runtime {

struct Challenge {
  std::string scheme;  // lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;
};
// A WWW-Authenticate header with one challenge; nullopt when malformed.
std::optional<Challenge> ParseChallenge(std::string_view header);

class RegistryClient {
 public:
  RegistryClient(Endpoint endpoint, std::string repository, Credentials credentials)
      : endpoint_(std::move(endpoint)), repository_(std::move(repository)), credentials_(std::move(credentials)) {}

  // GET /v2/<repository>/<path>. A status other than 200 and 206 is an error with the registry's own words: 401
  // kUnauthenticated, 403 kPermissionDenied, 404 kNotFound, 416 kOutOfRange, 429 kResourceExhausted, 5xx kUnavailable.
  Result<http::ClientResponse> Get(const std::string& path, const std::vector<std::string>& headers,
                                   size_t max_body_bytes, const http::BodySink& sink = {});
  const std::string& url() const { return endpoint_.url; }

 private:
  Result<std::string> Authorize(const std::string& www_authenticate) const;
  Result<std::string> FetchToken(const Challenge& challenge) const;
  std::string Basic() const;

  Endpoint endpoint_;
  std::string repository_;
  Credentials credentials_;
  std::mutex mutex_;
  std::string authorization_;  // what the registry accepted last
};

}  // namespace portcullis::runtime
