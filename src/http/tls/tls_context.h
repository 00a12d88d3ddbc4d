// Certificates, keys and authorities in files, and the TLS connections that use them. TLS 1.2 at least.
//
//   ASSIGN_OR_RETURN(auto server, TlsServerContext::Load({.cert_file = "/etc/p/tls.crt", .key_file =
//   "/etc/p/tls.key"})); std::unique_ptr<TlsSession> tls = server->Accept();
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "http/tls/tls_session.h"

namespace portcullis::http {

// PEM files.
struct TlsServerFiles {
  std::string cert_file;  // the server's certificate, then those between it and its authority
  std::string key_file;
  std::string client_ca_file;  // not "": clients must show a certificate of one of these authorities
};

// Files that change are read anew for the next connection; when they cannot be used, those before stay in use and the
// log says so, once for each change.
class TlsServerContext {
 public:
  // Errors name the file: unreadable, no certificate or key in it, a key that is not the certificate's.
  static Result<std::unique_ptr<TlsServerContext>> Load(TlsServerFiles files);
  ~TlsServerContext();
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  // Of a connection that a client has opened. Not thread-safe.
  std::unique_ptr<TlsSession> Accept();

 private:
  struct State;
  explicit TlsServerContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct TlsClientOptions {
  std::string ca_file;  // "": the system's authorities
  std::string cert_file;
  std::string key_file;
  std::string server_name;            // in the server's certificate; a name or an IP address
  bool insecure_skip_verify = false;  // any server is taken
};

// Of a connection to open. Errors as above.
Result<std::unique_ptr<TlsSession>> ConnectTls(const TlsClientOptions& options);

}  // namespace portcullis::http
