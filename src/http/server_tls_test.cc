// The server over TLS: requests and upgrades, by libcurl and by our own client.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <future>
#include <thread>

#include "base/files.h"
#include "base/strings.h"
#include "http/client.h"
#include "http/server.h"
#include "http/tls/test_certificates.h"
#include "http/upgrade_client.h"

namespace portcullis::http {
namespace {

class ServerTlsTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = testing::TempDir() + "portcullis-https-" + base::RandomHex(6);
    ASSERT_TRUE(base::MakeDirs(dir_));
    const TestAuthority authority(dir_ + "/ca");
    authority.Issue(dir_ + "/server", "DNS:localhost,IP:127.0.0.1");
    authority.Issue(dir_ + "/client", "DNS:client");
  }
  void TearDown() override {
    server_.reset();
    ASSERT_TRUE(base::RemoveTree(dir_));
  }

  void StartServer(bool with_clients) {
    auto tls = TlsServerContext::Load({.cert_file = dir_ + "/server.pem",
                                       .key_file = dir_ + "/server.key",
                                       .client_ca_file = with_clients ? dir_ + "/ca.pem" : ""});
    ASSERT_TRUE(tls) << tls.error().message;
    server_ =
        std::make_unique<Server>(ServerOptions{.timeout = std::chrono::milliseconds(500), .tls = *std::move(tls)});
    server_->Handle("GET", "/large", [](const Request&) { return Response{.body = std::string(300'000, 'x')}; });
    server_->Handle("POST", "/echo", [](const Request& request) { return Response{.body = request.body}; });
    server_->HandleUpgrade("/up", [this](const Request&) {
      return Switch{.headers = {{"Upgrade", "shout"}},
                    .take_over = [this](Upgraded upgraded) { upgraded_.set_value(std::move(upgraded)); }};
    });
    ASSERT_TRUE(server_->Start());
  }

  std::string Url(const std::string& path) const {
    return fmt::format("https://127.0.0.1:{}{}", server_->port(), path);
  }
  UpgradeRequest UpgradeTo(const std::string& cert) const {
    return {.url = Url("/up"),
            .headers = {{"Connection", "Upgrade"}, {"Upgrade", "shout"}},
            .tls = {.ca_file = dir_ + "/ca.pem",
                    .cert_file = cert.empty() ? "" : dir_ + "/" + cert + ".pem",
                    .key_file = cert.empty() ? "" : dir_ + "/" + cert + ".key",
                    .server_name = "localhost"}};
  }

  std::string dir_;
  std::unique_ptr<Server> server_;
  std::promise<Upgraded> upgraded_;
};

TEST_F(ServerTlsTest, RequestsByLibcurl) {
  StartServer(false);
  const TlsOptions trusting{.ca_file = dir_ + "/ca.pem"};
  const auto large = Send({.url = Url("/large")}, trusting);
  ASSERT_TRUE(large) << large.error().message;
  EXPECT_EQ(large->body, std::string(300'000, 'x'));
  const auto echo = Send({.url = Url("/echo"), .form = "a=b"}, trusting);
  ASSERT_TRUE(echo) << echo.error().message;
  EXPECT_EQ(echo->body, "a=b");
  EXPECT_EQ(Send({.url = Url("/none")}, trusting)->status, 404);
  EXPECT_FALSE(Send({.url = Url("/large")}, {}));
  EXPECT_FALSE(Send({.url = fmt::format("http://127.0.0.1:{}/large", server_->port())}, {})) << "plain text";
}

TEST_F(ServerTlsTest, ClientCertificates) {
  StartServer(true);
  TlsOptions client{.ca_file = dir_ + "/ca.pem"};
  EXPECT_FALSE(Send({.url = Url("/large")}, client));
  client.cert_file = dir_ + "/client.pem";
  client.key_file = dir_ + "/client.key";
  const auto large = Send({.url = Url("/large")}, client);
  ASSERT_TRUE(large) << large.error().message;
  EXPECT_EQ(large->body.size(), 300'000u);

  const auto refused = RequestUpgrade(UpgradeTo(""));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_NE(refused.error().message.find("certificate required"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(RequestUpgrade(UpgradeTo("client")));
}

TEST_F(ServerTlsTest, TheConnectionIsHandedOnWithItsEncryption) {
  StartServer(false);
  auto answer = RequestUpgrade(UpgradeTo(""));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->headers["upgrade"], "shout");
  Upgraded server = upgraded_.get_future().get();
  Upgraded& client = answer->connection;
  ASSERT_TRUE(server.tls && client.tls);
  client.tls->Send("quietly");
  const std::string bytes = std::exchange(client.tls->output(), {});
  EXPECT_EQ(bytes.find("quietly"), std::string::npos);
  ASSERT_EQ(::send(client.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  std::string told;
  while (told.size() < 7) {
    pollfd fd{server.socket.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&fd, 1, 5000), 1);
    char buffer[4096];
    const ssize_t n = ::recv(server.socket.get(), buffer, sizeof buffer, 0);
    ASSERT_GT(n, 0);
    ASSERT_TRUE(server.tls->Receive(std::string_view(buffer, static_cast<size_t>(n)), told));
  }
  EXPECT_EQ(told, "quietly");
}

TEST_F(ServerTlsTest, ServersThatAreNotTrustedAreNotSpokenTo) {
  StartServer(false);
  UpgradeRequest request = UpgradeTo("");
  request.tls.server_name = "example.com";
  const auto refused = RequestUpgrade(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_NE(refused.error().message.find("hostname mismatch"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace portcullis::http
