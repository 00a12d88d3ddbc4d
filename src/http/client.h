// An HTTP/1.1 and HTTP/2 client for registries, on libcurl: one request at a time, nothing kept between them.
//
//   ASSIGN_OR_RETURN(ClientResponse answer, http::Send({.url = "https://host/v2/"}, {}));
//
// Redirects of a GET are followed, five at most; `authorization` only goes to the scheme, host and port that it was
// given for, and https is never left for http. An answer of any status is a ClientResponse; no answer is kUnavailable.
// A transfer that stands still for a minute is given up. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace portcullis::http {

struct TlsOptions {
  std::string ca_file;  // PEM, instead of the system's authorities; "" for those
  std::string cert_file;
  std::string key_file;
  bool insecure_skip_verify = false;
};

struct ClientRequest {
  std::string url;
  std::vector<std::string> headers;  // "Accept: text/plain"
  std::string authorization;         // "Bearer …", "Basic …" or ""
  std::string form;                  // when not empty, a POST of application/x-www-form-urlencoded
  size_t max_body_bytes = 4u << 20;
};

struct ClientResponse {
  long status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; of repeated headers the last
  std::string body;                            // empty when it went to a sink
};

// Takes the body of a 200 or 206 in pieces; an error ends the transfer and is returned.
using BodySink = std::function<Result<void>(const ClientResponse& head, std::span<const char> data)>;

Result<ClientResponse> Send(const ClientRequest& request, const TlsOptions& tls, const BodySink& sink = {});

// Percent-encoding of a query's or form's value.
std::string Escape(std::string_view text);

}  // namespace portcullis::http
