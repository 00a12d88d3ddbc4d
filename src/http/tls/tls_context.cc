#include "http/tls/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

#include "base/check.h"
#include "base/file_stamp.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::http {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

Failure TlsFail(const std::string& what, const std::string& file) {
  const unsigned long code = ERR_peek_error();
  const char* reason = ERR_reason_error_string(code);
  const std::string why = ERR_SYSTEM_ERROR(code) ? ErrnoText(ERR_GET_REASON(code))
                          : reason != nullptr    ? reason
                                                 : "unknown reason";
  return Fail(Code::kInvalidArgument, "TLS: {} {}: {}", what, base::Quote(file), why);
}

Result<Context> NewContext(const SSL_METHOD* method) {
  ERR_clear_error();
  Context context(SSL_CTX_new(method));
  CHECK(context != nullptr);
  CHECK(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A session that is resumed would skip the look at the client's certificate; connections here live long.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  // A key with a password cannot be used: nobody is there to be asked.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return -1; });
  return context;
}

Result<void> UseCertificate(SSL_CTX* context, const std::string& cert_file, const std::string& key_file) {
  if (SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1) return TlsFail("certificate", cert_file);
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) return TlsFail("key", key_file);
  if (SSL_CTX_check_private_key(context) != 1) return TlsFail("key", key_file);
  return {};
}

Result<Context> ServerContext(const TlsServerFiles& files) {
  ASSIGN_OR_RETURN(Context context, NewContext(TLS_server_method()));
  TRY(UseCertificate(context.get(), files.cert_file, files.key_file));
  if (files.client_ca_file.empty()) return context;
  if (SSL_CTX_load_verify_file(context.get(), files.client_ca_file.c_str()) != 1)
    return TlsFail("client authorities", files.client_ca_file);
  SSL_CTX_set_client_CA_list(context.get(), SSL_load_client_CA_file(files.client_ca_file.c_str()));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

bool IsIpAddress(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

void ExpectServer(SSL* ssl, const std::string& name) {
  if (IsIpAddress(name)) {
    CHECK(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1);
    return;
  }
  CHECK(SSL_set_tlsext_host_name(ssl, name.c_str()) == 1);
  CHECK(SSL_set1_host(ssl, name.c_str()) == 1);
}

}  // namespace

struct TlsServerContext::State {
  using Stamps = std::array<base::FileStamp, 3>;

  TlsServerFiles files;
  Stamps stamps;
  Context context;

  static Stamps StampsOf(const TlsServerFiles& files) {
    return {base::StampOf(files.cert_file), base::StampOf(files.key_file),
            files.client_ca_file.empty() ? base::FileStamp{} : base::StampOf(files.client_ca_file)};
  }

  // A certificate is there a moment before its key: until both fit, the old ones serve.
  void LookForChanges() {
    const Stamps now = StampsOf(files);
    if (now == stamps) return;
    stamps = now;
    auto loaded = ServerContext(files);
    if (!loaded) {
      base::LogWarning("TLS files have changed and cannot be used, those before stay in use",
                       {{"error", loaded.error().message}});
      return;
    }
    context = *std::move(loaded);
    base::LogInfo("TLS files have changed and are in use", {{"certificate", files.cert_file}});
  }
};

TlsServerContext::TlsServerContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsServerContext::~TlsServerContext() = default;

Result<std::unique_ptr<TlsServerContext>> TlsServerContext::Load(TlsServerFiles files) {
  auto state = std::make_unique<State>();
  state->files = std::move(files);
  state->stamps = State::StampsOf(state->files);
  ASSIGN_OR_RETURN(state->context, ServerContext(state->files));
  return std::unique_ptr<TlsServerContext>(new TlsServerContext(std::move(state)));
}

std::unique_ptr<TlsSession> TlsServerContext::Accept() {
  state_->LookForChanges();
  SSL* ssl = SSL_new(state_->context.get());
  CHECK(ssl != nullptr);
  SSL_set_accept_state(ssl);
  return std::make_unique<TlsSession>(ssl);
}

Result<std::unique_ptr<TlsSession>> ConnectTls(const TlsClientOptions& options) {
  ASSIGN_OR_RETURN(const Context context, NewContext(TLS_client_method()));
  if (!options.cert_file.empty()) TRY(UseCertificate(context.get(), options.cert_file, options.key_file));
  if (!options.ca_file.empty()) {
    if (SSL_CTX_load_verify_file(context.get(), options.ca_file.c_str()) != 1)
      return TlsFail("authorities", options.ca_file);
  } else if (SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    return Fail(Code::kInternal, "TLS: the system's authorities cannot be read");
  }
  SSL_CTX_set_verify(context.get(), options.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  SSL* ssl = SSL_new(context.get());
  CHECK(ssl != nullptr);
  ExpectServer(ssl, options.server_name);
  SSL_set_connect_state(ssl);
  return std::make_unique<TlsSession>(ssl);
}

}  // namespace portcullis::http
