// One TLS connection (OpenSSL), without its socket. Values in, values out: bytes of the connection go into Receive,
// bytes for it come out of output(). Contexts (tls_context.h) make them.
//
//   TRY(tls->Receive(bytes, plain));       // `plain` has grown by what the peer says
//   tls->Send("HTTP/1.1 200 OK\r\n");      // before the handshake's end, too: it waits
//   write(fd, tls->output());
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct ssl_st;

namespace portcullis::http {

class TlsSession {
 public:
  // Takes the SSL over; its role and what it checks are set already. A client's first bytes are in output() at once.
  explicit TlsSession(ssl_st* ssl);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // The next bytes of the connection, cut anywhere; what they say is appended to `plain`. kUnavailable: not TLS, a
  // certificate that is not trusted or absent, another peer than expected; output() tells the peer.
  Result<void> Receive(std::string_view bytes, std::string& plain);
  bool IsEstablished() const;
  bool HasPeerEnded() const;  // it has said that no more comes

  void Send(std::string_view plain);
  // Says that no more comes; once.
  void Close();

  // What the connection is to carry; the caller removes what has been written from its front.
  std::string& output() { return output_; }

 private:
  Result<void> Advance();
  void Collect();

  ssl_st* const ssl_;
  std::string waiting_;  // plain text from before the handshake's end
  bool closing_ = false;
  std::string output_;
};

}  // namespace portcullis::http
