// The client's half of an HTTP upgrade: asks a server to leave HTTP and hands over the connection.
//
//   ASSIGN_OR_RETURN(UpgradeAnswer answer, RequestUpgrade({.url = "http://127.0.0.1:1/exec/T", .headers = {...}}));
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "base/result.h"
#include "http/server.h"

namespace portcullis::http {

struct UpgradeRequest {
  std::string url;  // http, or https
  std::string method = "POST";
  HeaderLines headers;                                          // besides Host; Connection and Upgrade are the caller's
  std::chrono::milliseconds timeout{std::chrono::seconds(30)};  // for connecting and for the answer
  TlsClientOptions tls;                                         // of https
};

struct UpgradeAnswer {
  std::map<std::string, std::string> headers;  // names in lower case
  Upgraded connection;
};

// kUnavailable: no connection, no answer, or a server that TLS does not trust; kFailedPrecondition: another status than
// 101, with the server's text.
Result<UpgradeAnswer> RequestUpgrade(const UpgradeRequest& request);

}  // namespace portcullis::http
