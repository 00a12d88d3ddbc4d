#include "http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <ctime>
#include <thread>

#include "base/unique_fd.h"

namespace portcullis::http {
namespace {

base::UniqueFd Connect(uint16_t port) {
  base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  timeval timeout{5, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  return fd;
}

// By the peer; false when it is open and silent.
bool IsClosed(const base::UniqueFd& fd, int flags = 0) {
  char byte;
  ssize_t n = ::recv(fd.get(), &byte, 1, flags);
  return n == 0 || (n < 0 && errno == ECONNRESET);
}

std::string Exchange(uint16_t port, const std::string& text) {
  base::UniqueFd fd = Connect(port);
  EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t n; (n = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) answer.append(buffer, static_cast<size_t>(n));
  return answer;
}

std::string Get(uint16_t port, const std::string& method, const std::string& target) {
  return Exchange(port, method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() : server_({.max_header_bytes = 1024, .max_body_bytes = 64, .timeout = std::chrono::milliseconds(300)}) {
    server_.Handle("GET", "/echo", [](const Request& request) {
      return Response{.content_type = "application/json",
                      .body = request.path + "|" + request.query + "|" + request.headers.at("host")};
    });
    server_.Handle("POST", "/body",
                   [](const Request& request) { return Response{.status = 201, .body = request.body}; });
    auto started = server_.Start();
    EXPECT_TRUE(started.has_value()) << started.error().message;
  }
  Server server_;
};

TEST_F(ServerTest, RoutesByMethodAndPath) {
  ASSERT_NE(server_.port(), 0);
  std::string answer = Get(server_.port(), "GET", "/echo?a=b");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n/echo|a=b|x")) << answer;
  EXPECT_TRUE(Get(server_.port(), "GET", "/none").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(Get(server_.port(), "DELETE", "/echo").starts_with("HTTP/1.1 405 "));
}

TEST_F(ServerTest, HeadHasLengthButNoBody) {
  std::string answer = Get(server_.port(), "HEAD", "/echo");
  EXPECT_NE(answer.find("Content-Length: 8\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(ServerTest, KeepsAConnectionForSeveralRequests) {
  std::string twice = Exchange(server_.port(),
                               "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                               "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nde");
  EXPECT_NE(twice.find("\r\n\r\nabcHTTP/1.1 201 "), std::string::npos) << twice;
  EXPECT_TRUE(twice.ends_with("de")) << twice;
}

TEST_F(ServerTest, RefusesWhatIsTooLargeOrMalformed) {
  EXPECT_TRUE(Get(server_.port(), "GET", "/" + std::string(4000, 'a')).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(Exchange(server_.port(), "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 65\r\n\r\n")
                  .starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(Exchange(server_.port(), "what is this\r\n\r\n").starts_with("HTTP/1.1 400 "));
}

TEST_F(ServerTest, ClosesASilentConnection) { EXPECT_EQ(Exchange(server_.port(), "GET /ec"), ""); }

TEST_F(ServerTest, StopEndsWithConnectionsOpen) {
  base::UniqueFd idle = Connect(server_.port());
  server_.Stop();
  server_.Stop();
  EXPECT_TRUE(IsClosed(idle));
}

TEST_F(ServerTest, SaysThatAPortIsTaken) {
  Server second({.port = server_.port()});
  auto started = second.Start();
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, Code::kAlreadyExists);
  EXPECT_NE(started.error().message.find(std::to_string(server_.port())), std::string::npos);
}

TEST_F(ServerTest, JoinsRepeatedHeaders) {
  const std::string answer =
      Exchange(server_.port(), "GET /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("|x, y")) << answer;
}

// Answers like an echo of capitals, from a thread of its own.
class UpgradeTest : public ::testing::Test {
 protected:
  UpgradeTest() : server_({.max_connections = 1}) {
    server_.HandleUpgrade("/up/", [this](const Request& request) -> std::variant<Response, Switch> {
      if (request.path == "/up/no") return Response{.status = 403, .body = "no\n", .headers = {{"X-Way", "a"}}};
      return Switch{.headers = {{"Upgrade", "shout"}}, .take_over = [this](Upgraded upgraded) {
                      threads_.emplace_back([taken = std::move(upgraded)] {
                        std::string text = taken.received;
                        for (char c; text.find('!') == std::string::npos;) {
                          pollfd fd{taken.socket.get(), POLLIN, 0};
                          ::poll(&fd, 1, 5000);
                          if (::recv(taken.socket.get(), &c, 1, 0) != 1) return;
                          text += c;
                        }
                        for (char& c : text) c = static_cast<char>(std::toupper(c));
                        EXPECT_GT(::send(taken.socket.get(), text.data(), text.size(), MSG_NOSIGNAL), 0);
                      });
                    }};
    });
    EXPECT_TRUE(server_.Start());
  }
  ~UpgradeTest() override {
    server_.Stop();  // its thread adds to these
    for (std::thread& thread : threads_) thread.join();
  }

  std::vector<std::thread> threads_;
  Server server_;
};

TEST_F(UpgradeTest, HandsTheSocketOnWithWhatWasRead) {
  base::UniqueFd clients[3];
  for (base::UniqueFd& client : clients) {  // more than the limit: who has left does not count
    client = Connect(server_.port());
    const std::string request = "POST /up/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\nearly ";
    ASSERT_GT(::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL), 0);
    std::string head;
    for (char c; !head.ends_with("\r\n\r\n") && ::recv(client.get(), &c, 1, 0) == 1;) head += c;
    EXPECT_EQ(head, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n");
  }
  for (base::UniqueFd& client : clients) {
    ASSERT_EQ(::send(client.get(), "late!", 5, MSG_NOSIGNAL), 5);
    std::string text;
    for (char c; ::recv(client.get(), &c, 1, 0) == 1;) text += c;
    EXPECT_EQ(text, "EARLY LATE!");
  }
}

TEST_F(UpgradeTest, MayRefuse) {
  const std::string answer = Get(server_.port(), "GET", "/up/no");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 ")) << answer;
  EXPECT_NE(answer.find("X-Way: a\r\n"), std::string::npos);
  EXPECT_TRUE(Get(server_.port(), "PUT", "/up/x").starts_with("HTTP/1.1 405 "));
}

TEST(Server, RefusesAnAddressThatIsNone) {
  Server server({.address = "localhost"});
  EXPECT_EQ(server.Start().error().code, Code::kInvalidArgument);
}

TEST(Server, ClosesConnectionsOverTheLimit) {
  Server server({.max_connections = 1});
  server.Handle("GET", "/", [](const Request&) { return Response{.body = "x"}; });
  ASSERT_TRUE(server.Start().has_value());
  base::UniqueFd first = Connect(server.port());
  ASSERT_EQ(::send(first.get(), "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL), 16);
  base::UniqueFd second = Connect(server.port());
  EXPECT_TRUE(IsClosed(second));
  EXPECT_FALSE(IsClosed(first, MSG_DONTWAIT));
}

// In a process of its own, where a low limit on descriptors harms nobody. Exit codes: 0 good, else the failed step.
[[noreturn]] void ServeWithoutDescriptors() {
  Server server({});
  server.Handle("GET", "/", [](const Request&) { return Response{.body = "x"}; });
  if (!server.Start()) ::_exit(1);
  base::UniqueFd client = Connect(server.port());  // asio's own descriptors exist now
  std::string text = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  if (::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) ::_exit(2);
  char byte;
  while (::recv(client.get(), &byte, 1, 0) > 0) continue;

  client.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = static_cast<rlim_t>(client.get()) + 1;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(3);
  std::vector<base::UniqueFd> fillers;  // take the gaps below the client's number
  for (int fd; (fd = ::dup(client.get())) >= 0;) fillers.emplace_back(fd);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) ::_exit(4);
  const std::clock_t start = std::clock();  // of the whole process: the waiting thread uses none
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  if (std::clock() - start > CLOCKS_PER_SEC / 5) ::_exit(5);

  limit.rlim_cur = before;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(6);
  timeval timeout{5, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  if (::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) ::_exit(7);
  if (::recv(client.get(), &byte, 1, 0) != 1 || byte != 'H') ::_exit(8);
  server.Stop();
  ::_exit(0);
}

TEST(Server, WaitsQuietlyWithoutDescriptorsAndThenGoesOn) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ServeWithoutDescriptors();
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace portcullis::http
