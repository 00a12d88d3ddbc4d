#include "http/tls/tls_context.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <utility>

#include "base/files.h"
#include "base/strings.h"
#include "http/tls/test_certificates.h"

namespace portcullis::http {
namespace {

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "portcullis-tls-" + base::RandomHex(6);
    ASSERT_TRUE(base::MakeDirs(dir_));
    ours_ = std::make_unique<TestAuthority>(Path("ours"));
    other_ = std::make_unique<TestAuthority>(Path("other"));
    ours_->Issue(Path("server"), "DNS:localhost,IP:127.0.0.1");
    ours_->Issue(Path("client"), "DNS:client");
    other_->Issue(Path("stranger"), "DNS:localhost");
  }
  void TearDown() override { ASSERT_TRUE(base::RemoveTree(dir_)); }

  std::string Path(const std::string& name) const { return dir_ + "/" + name; }
  TlsServerFiles Files(bool with_clients = false) const {
    return {.cert_file = Path("server.pem"),
            .key_file = Path("server.key"),
            .client_ca_file = with_clients ? Path("ours.pem") : ""};
  }
  TlsClientOptions Client(const std::string& cert = "") const {
    return {.ca_file = Path("ours.pem"),
            .cert_file = cert.empty() ? "" : Path(cert + ".pem"),
            .key_file = cert.empty() ? "" : Path(cert + ".key"),
            .server_name = "localhost"};
  }

  // What the two say to each other after `client` sends "hello" and `server` "welcome": "hello|welcome", or the errors.
  static std::string Talk(TlsSession& client, TlsSession& server, size_t piece = 100'000) {
    std::string at_server;
    std::string at_client;
    client.Send("hello");
    server.Send("welcome");
    std::string problem;
    const auto carry = [&](TlsSession& from, TlsSession& to, std::string& told, const char* who) {
      const std::string bytes = std::exchange(from.output(), {});
      for (size_t at = 0; at < bytes.size(); at += piece) {
        const auto received = to.Receive(std::string_view(bytes).substr(at, piece), told);
        if (!received) problem += std::string(problem.empty() ? "" : "; ") + who + ": " + received.error().message;
        if (!received) return false;
      }
      return !bytes.empty();
    };
    for (bool moved = true; moved;) {
      moved = carry(client, server, at_server, "server");
      moved = carry(server, client, at_client, "client") || moved;
    }
    return problem.empty() ? at_server + "|" + at_client : problem;
  }
  std::string Talk(const TlsServerFiles& files, const TlsClientOptions& options, size_t piece = 100'000) {
    auto server = TlsServerContext::Load(files);
    if (!server) return server.error().message;
    auto client = ConnectTls(options);
    if (!client) return client.error().message;
    const auto accepted = (*server)->Accept();
    return Talk(**client, *accepted, piece);
  }

  std::string dir_;
  std::unique_ptr<TestAuthority> ours_;
  std::unique_ptr<TestAuthority> other_;
};

TEST_F(TlsTest, BothWaysHoweverItIsCut) {
  for (const size_t piece : {1u, 7u, 100'000u}) EXPECT_EQ(Talk(Files(), Client(), piece), "hello|welcome") << piece;
}

TEST_F(TlsTest, MegabytesAndTheEnd) {
  auto server = TlsServerContext::Load(Files());
  ASSERT_TRUE(server);
  auto client = ConnectTls(Client());
  ASSERT_TRUE(client);
  const auto accepted = (*server)->Accept();
  ASSERT_EQ(Talk(**client, *accepted), "hello|welcome");
  const std::string large(3'000'001, 'x');
  accepted->Send(large);
  accepted->Close();
  std::string told;
  ASSERT_TRUE((*client)->Receive(std::exchange(accepted->output(), {}), told));
  EXPECT_EQ(told, large);
  EXPECT_TRUE((*client)->HasPeerEnded());
  EXPECT_FALSE(accepted->HasPeerEnded());
  // The other half is still open.
  (*client)->Send("late");
  told.clear();
  ASSERT_TRUE(accepted->Receive(std::exchange((*client)->output(), {}), told));
  EXPECT_EQ(told, "late");
}

TEST_F(TlsTest, ServersAreVerified) {
  TlsClientOptions stranger = Client();
  stranger.ca_file = Path("other.pem");
  EXPECT_EQ(Talk(Files(), stranger).substr(0, 64), "client: TLS handshake: unable to get local issuer certificate; s");
  TlsClientOptions elsewhere = Client();
  elsewhere.server_name = "example.com";
  EXPECT_TRUE(Talk(Files(), elsewhere).starts_with("client: TLS handshake: hostname mismatch"));
  elsewhere.server_name = "127.0.0.2";
  EXPECT_TRUE(Talk(Files(), elsewhere).starts_with("client: TLS handshake: IP address mismatch"));
  elsewhere.server_name = "127.0.0.1";
  EXPECT_EQ(Talk(Files(), elsewhere), "hello|welcome");
  stranger.insecure_skip_verify = true;
  EXPECT_EQ(Talk(Files(), stranger), "hello|welcome");
}

TEST_F(TlsTest, ClientsAreVerified) {
  EXPECT_EQ(Talk(Files(true), Client("client")), "hello|welcome");
  EXPECT_TRUE(Talk(Files(true), Client()).starts_with("server: TLS handshake: peer did not return a certificate"));
  EXPECT_TRUE(Talk(Files(true), Client("stranger"))
                  .starts_with("server: TLS handshake: unable to get local issuer certificate"));
}

TEST_F(TlsTest, OldVersionsAndNonsenseAreRefused) {
  auto server = TlsServerContext::Load(Files());
  ASSERT_TRUE(server);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(context, 0);
  ASSERT_EQ(SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION), 1);
  SSL* ssl = SSL_new(context);
  SSL_set_connect_state(ssl);
  TlsSession old(ssl);
  SSL_CTX_free(context);
  EXPECT_TRUE(Talk(old, *(*server)->Accept()).starts_with("server: TLS handshake: unsupported protocol"));

  std::string told;
  const auto nonsense = (*server)->Accept();
  EXPECT_EQ(nonsense->Receive("GET / HTTP/1.1\r\nHost: x\r\n\r\n", told).error().message,
            "TLS handshake: http request");
  EXPECT_EQ(told, "");
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreNamed) {
  const auto error = [](const TlsServerFiles& files) {
    const auto loaded = TlsServerContext::Load(files);
    return loaded ? std::string("loaded") : loaded.error().message;
  };
  TlsServerFiles files = Files(true);
  EXPECT_EQ(error(files), "loaded");
  files.key_file = Path("client.key");
  EXPECT_EQ(error(files), "TLS: key \"" + files.key_file + "\": key values mismatch");
  files.key_file = Path("server.pem");
  EXPECT_NE(error(files).find("TLS: key \"" + files.key_file + "\": "), std::string::npos) << error(files);
  files = Files(true);
  files.cert_file = Path("absent.pem");
  EXPECT_EQ(error(files), "TLS: certificate \"" + files.cert_file + "\": no such file or directory");
  files = Files(true);
  files.client_ca_file = Path("server.key");
  EXPECT_NE(error(files).find("TLS: client authorities \"" + files.client_ca_file + "\": "), std::string::npos)
      << error(files);
  TlsClientOptions client = Client("client");
  client.key_file = Path("server.key");
  EXPECT_EQ(ConnectTls(client).error().message, "TLS: key \"" + client.key_file + "\": key values mismatch");
}

TEST_F(TlsTest, ChangedFilesAreUsedForTheNextConnection) {
  auto server = TlsServerContext::Load(Files());
  ASSERT_TRUE(server);
  TlsClientOptions options = Client();
  const auto talk = [&] {
    auto client = ConnectTls(options);
    const auto accepted = (*server)->Accept();
    return Talk(**client, *accepted);
  };
  EXPECT_EQ(talk(), "hello|welcome");
  // Half of a change: the old pair stays.
  other_->Issue(Path("next"), "DNS:localhost");
  ASSERT_EQ(::rename(Path("next.pem").c_str(), Path("server.pem").c_str()), 0);
  EXPECT_EQ(talk(), "hello|welcome");
  ASSERT_EQ(::rename(Path("next.key").c_str(), Path("server.key").c_str()), 0);
  EXPECT_TRUE(talk().starts_with("client: TLS handshake: unable to get local issuer certificate"));
  options.ca_file = Path("other.pem");
  EXPECT_EQ(talk(), "hello|welcome");
  ASSERT_EQ(::unlink(Path("server.key").c_str()), 0);
  EXPECT_EQ(talk(), "hello|welcome");
}

}  // namespace
}  // namespace portcullis::http
