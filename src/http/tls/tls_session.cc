#include "http/tls/tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/try.h"

namespace portcullis::http {
namespace {

constexpr size_t kPiece = 16u << 10;  // a TLS record's most

std::string ReasonOf(const SSL* ssl) {
  const long verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE) {
    return X509_verify_cert_error_string(verified);
  }
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  return reason == nullptr ? "no reason given" : reason;
}

}  // namespace

TlsSession::TlsSession(ssl_st* ssl) : ssl_(ssl) {
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  if (SSL_is_server(ssl_) == 0) static_cast<void>(Advance());  // its first bytes: nothing can be wrong with them yet
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

bool TlsSession::IsEstablished() const { return SSL_is_init_finished(ssl_) == 1; }

bool TlsSession::HasPeerEnded() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }

// The handshake, as far as it goes.
Result<void> TlsSession::Advance() {
  ERR_clear_error();
  const int code = SSL_do_handshake(ssl_);
  const int problem = SSL_get_error(ssl_, code);
  Collect();
  if (code == 1 || problem == SSL_ERROR_WANT_READ || problem == SSL_ERROR_WANT_WRITE) return {};
  return Fail(Code::kUnavailable, "TLS handshake: {}", ReasonOf(ssl_));
}

Result<void> TlsSession::Receive(std::string_view bytes, std::string& plain) {
  if (!bytes.empty()) {
    CHECK(BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size())) ==
          static_cast<int>(bytes.size()));
  }
  if (!IsEstablished()) {
    TRY(Advance());
    if (!IsEstablished()) return {};
    Send(std::exchange(waiting_, {}));
    if (closing_) Close();
  }
  while (true) {
    ERR_clear_error();
    const size_t before = plain.size();
    plain.resize(before + kPiece);
    size_t got = 0;
    const int code = SSL_read_ex(ssl_, plain.data() + before, kPiece, &got);
    plain.resize(before + got);
    if (code == 1) continue;
    const int problem = SSL_get_error(ssl_, code);
    Collect();
    if (problem == SSL_ERROR_WANT_READ || problem == SSL_ERROR_ZERO_RETURN) return {};
    return Fail(Code::kUnavailable, "TLS: {}", ReasonOf(ssl_));
  }
}

void TlsSession::Send(std::string_view plain) {
  if (!IsEstablished()) {
    waiting_ += plain;
    return;
  }
  ERR_clear_error();
  while (!plain.empty()) {
    size_t written = 0;
    const std::string_view piece = plain.substr(0, kPiece);
    if (SSL_write_ex(ssl_, piece.data(), piece.size(), &written) != 1) return;  // closed already, or failed before
    plain.remove_prefix(written);
  }
  Collect();
}

void TlsSession::Close() {
  closing_ = true;
  if (!IsEstablished()) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  Collect();
}

void TlsSession::Collect() {
  char* data = nullptr;
  BIO* out = SSL_get_wbio(ssl_);
  const long size = BIO_get_mem_data(out, &data);
  output_.append(data, static_cast<size_t>(std::max(size, 0L)));
  static_cast<void>(BIO_reset(out));
}

}  // namespace portcullis::http
