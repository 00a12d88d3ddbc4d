#include "http/server.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/strings.h"

namespace portcullis::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

// How long answers on their way may take once the server is told to stop.
constexpr std::chrono::milliseconds kFarewell(500);

// Between two attempts to accept while the process or the system is out of descriptors.
constexpr std::chrono::milliseconds kAcceptRetry(100);

// Asio opens its sockets without it; a program that we start must not hold our port.
template <class Socket>
void CloseOnExec(Socket& socket) {
  ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
}

struct Route {
  std::string method;
  std::string path;
  Handler handler;
};

struct UpgradeRoute {
  std::string prefix;
  UpgradeHandler handler;
};

class Connection;

struct Shared {
  ServerOptions options;
  std::vector<Route> routes;
  std::vector<UpgradeRoute> upgrades;
  std::set<Connection*> connections;  // touched by the server's thread only, as the next
  bool stopping = false;
  std::function<void()> on_last_closed = [] {};  // while stopping
};

Request ToRequest(const beast::http::request<beast::http::string_body>& message) {
  Request request;
  request.method = std::string(message.method_string());
  std::string_view target(message.target().data(), message.target().size());
  size_t query = target.find('?');
  request.path = std::string(target.substr(0, query));
  if (query != std::string_view::npos) request.query = std::string(target.substr(query + 1));
  for (const auto& field : message) {
    std::string_view name(field.name_string().data(), field.name_string().size());
    std::string& value = request.headers[base::ToLower(name)];
    if (!value.empty()) value += ", ";
    value += std::string_view(field.value().data(), field.value().size());
  }
  request.body = message.body();
  return request;
}

std::variant<Response, Switch> Dispatch(const Shared& shared, const Request& request) {
  for (const UpgradeRoute& route : shared.upgrades) {
    if (!request.path.starts_with(route.prefix)) continue;
    if (request.method == "GET" || request.method == "POST") return route.handler(request);
    return Response{.status = 405, .body = "method not allowed\n"};
  }
  bool known_path = false;
  std::string_view wanted = request.method == "HEAD" ? std::string_view("GET") : std::string_view(request.method);
  for (const Route& route : shared.routes) {
    if (route.path != request.path) continue;
    if (route.method == wanted) return route.handler(request);
    known_path = true;
  }
  if (known_path) return Response{.status = 405, .body = "method not allowed\n"};
  return Response{.status = 404, .body = "404 page not found\n"};
}

// One connection: read, answer, read again while the peer keeps it alive. With TLS, what is read is decrypted before it
// is parsed, and what is written encrypted.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
    shared_.connections.insert(this);
    if (shared_.options.tls) tls_ = shared_.options.tls->Accept();
  }
  ~Connection() {
    shared_.connections.erase(this);
    if (shared_.stopping && shared_.connections.empty()) shared_.on_last_closed();
  }

  void Read() {
    answering_ = false;
    parser_.emplace();
    parser_->eager(true);  // the body too
    parser_->header_limit(static_cast<std::uint32_t>(shared_.options.max_header_bytes));
    parser_->body_limit(shared_.options.max_body_bytes);
    stream_.expires_after(shared_.options.timeout);
    Parse();
  }

  bool answering() const { return answering_; }

  void Close() {
    error_code ignored;  // the peer may have gone already
    stream_.socket().shutdown(Tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

 private:
  void ReadMore() {
    stream_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](error_code error, size_t size) {
      if (error) return self->Close();
      self->Take(std::string_view(self->chunk_.data(), size));
    });
  }

  void Take(std::string_view bytes) {
    if (!tls_) {
      received_ += bytes;
      return Parse();
    }
    const auto taken = tls_->Receive(bytes, received_);
    if (!taken) base::LogDebug("http: connection refused", {{"error", taken.error().message}});
    const bool over = !taken || tls_->HasPeerEnded();
    if (tls_->output().empty()) return over ? Close() : Parse();
    Write("", [self = shared_from_this(), over] { over ? self->Close() : self->Parse(); });
  }

  // What has been received, as far as it goes.
  void Parse() {
    error_code error;
    while (!received_.empty() && !parser_->is_done() && !error) {
      const size_t used = parser_->put(asio::buffer(received_), error);
      received_.erase(0, used);
    }
    if (error == beast::http::error::need_more) return ReadMore();
    if (error) return OnBadRequest(error);
    if (parser_->is_done()) return OnRequest();
    ReadMore();
  }

  void OnBadRequest(error_code error) {
    if (error == beast::http::error::header_limit)
      return Answer({.status = 431, .body = "request header too large\n"}, 11, false, false);
    if (error == beast::http::error::body_limit)
      return Answer({.status = 413, .body = "request body too large\n"}, 11, false, false);
    Answer({.status = 400, .body = "malformed request\n"}, 11, false, false);
  }

  void OnRequest() {
    const auto& message = parser_->get();
    Request request = ToRequest(message);
    bool keep_alive = message.keep_alive() && !shared_.stopping;
    auto outcome = Dispatch(shared_, request);
    if (auto* leave = std::get_if<Switch>(&outcome)) return Leave(std::move(*leave));
    Answer(std::get<Response>(outcome), message.version(), keep_alive, request.method == "HEAD");
  }

  // Writes the 101 and hands the socket on.
  void Leave(Switch leave) {
    answering_ = true;
    std::string head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
    for (const auto& [name, value] : leave.headers) head += name + ": " + value + "\r\n";
    head += "\r\n";
    stream_.expires_after(shared_.options.timeout);
    Write(head, [self = shared_from_this(), take_over = std::move(leave.take_over)] {
      if (self->shared_.stopping) return self->Close();
      self->stream_.expires_never();
      error_code error;
      const int socket = self->stream_.release_socket().release(error);
      if (error) return;
      take_over({base::UniqueFd(socket), std::move(self->received_), std::move(self->tls_)});
    });
  }

  void Answer(const Response& response, unsigned version, bool keep_alive, bool head) {
    answering_ = true;
    beast::http::response<beast::http::string_body> reply;
    reply.version(version);
    reply.result(static_cast<unsigned>(response.status));
    reply.set(beast::http::field::content_type, response.content_type);
    reply.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) reply.insert(name, value);
    reply.keep_alive(keep_alive);
    reply.content_length(response.body.size());
    std::ostringstream text;
    text << reply.base();
    if (!head) text << response.body;
    stream_.expires_after(shared_.options.timeout);
    Write(text.str(), [self = shared_from_this(), keep_alive] {
      if (!keep_alive || self->shared_.stopping) return self->Farewell();
      self->Read();
    });
  }

  void Farewell() {
    if (!tls_) return Close();
    tls_->Close();
    Write("", [self = shared_from_this()] { self->Close(); });
  }

  // One at a time. `then` is called once all is written; a connection that is lost is closed instead.
  void Write(std::string_view text, std::function<void()> then) {
    if (tls_) {
      tls_->Send(text);
      sending_ = std::exchange(tls_->output(), {});
    } else {
      sending_ = text;
    }
    asio::async_write(stream_, asio::buffer(sending_),
                      [self = shared_from_this(), then = std::move(then)](error_code error, size_t) {
                        if (error) return self->Close();
                        then();
                      });
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  std::unique_ptr<TlsSession> tls_;
  bool answering_ = false;
  std::array<char, 16384> chunk_{};
  std::string received_;  // and not parsed yet
  std::string sending_;
  std::optional<beast::http::request_parser<beast::http::string_body>> parser_;
};

}  // namespace

struct Server::State {
  Shared shared;
  asio::io_context context{1};
  Tcp::acceptor acceptor{context};
  asio::steady_timer farewell{context};
  asio::steady_timer accept_retry{context};
  bool accept_failing = false;  // touched by the server's thread only
  std::thread thread;
  uint16_t port = 0;

  void CloseConnections(bool answering_too) {
    for (Connection* connection : shared.connections) {
      if (answering_too || !connection->answering()) connection->Close();
    }
  }

  void Accept() {
    acceptor.async_accept([this](error_code error, Tcp::socket socket) {
      if (!acceptor.is_open()) return;
      if (error) return AcceptLater(error);
      accept_failing = false;
      CloseOnExec(socket);
      if (shared.connections.size() < shared.options.max_connections) {
        std::make_shared<Connection>(std::move(socket), shared)->Read();
      }
      Accept();
    });
  }

  // Without descriptors or memory the waiting connection stays in the queue and accepting fails again at once: wait
  // for others to free some instead of spinning. One log line for each such time.
  void AcceptLater(error_code error) {
    if (!accept_failing) {
      base::LogWarning("http: cannot accept connections, trying again",
                       {{"port", std::to_string(port)}, {"err", error.message()}});
    }
    accept_failing = true;
    accept_retry.expires_after(kAcceptRetry);
    accept_retry.async_wait([this](error_code cancelled) {
      if (!cancelled && acceptor.is_open()) Accept();
    });
  }
};

Server::Server(ServerOptions options) : state_(std::make_unique<State>()) {
  state_->shared.options = std::move(options);
}

Server::~Server() { Stop(); }

void Server::Handle(std::string method, std::string path, Handler handler) {
  state_->shared.routes.push_back({std::move(method), std::move(path), std::move(handler)});
}

void Server::HandleUpgrade(std::string prefix, UpgradeHandler handler) {
  state_->shared.upgrades.push_back({std::move(prefix), std::move(handler)});
}

Result<void> Server::Start() {
  const ServerOptions& options = state_->shared.options;
  error_code error;
  auto address = asio::ip::make_address(options.address, error);
  if (error) return Fail(Code::kInvalidArgument, "listen on {}: not an IP address", options.address);
  Tcp::endpoint endpoint(address, options.port);
  Tcp::acceptor& acceptor = state_->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) CloseOnExec(acceptor);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(Tcp::acceptor::max_listen_connections, error);
  if (!error) state_->port = acceptor.local_endpoint(error).port();
  if (error) {
    error_code ignored;
    acceptor.close(ignored);
    Error failure = FailErrno(error.value(), "listen on {} port {}", options.address, options.port).value();
    if (error.value() == EADDRINUSE) failure.code = Code::kAlreadyExists;
    return Failure(std::move(failure));
  }
  state_->Accept();
  state_->thread = std::thread([this] { state_->context.run(); });
  return {};
}

void Server::Stop() {
  if (!state_->thread.joinable()) return;
  asio::post(state_->context, [this] {
    error_code ignored;
    state_->shared.stopping = true;
    state_->shared.on_last_closed = [this] { state_->farewell.cancel(); };
    state_->acceptor.close(ignored);
    state_->accept_retry.cancel();
    // Answers on their way have a moment; then the context runs out of work and the thread ends.
    state_->farewell.expires_after(kFarewell);
    state_->farewell.async_wait([this](error_code error) {
      if (!error) state_->CloseConnections(true);
    });
    state_->CloseConnections(false);
    if (state_->shared.connections.empty()) state_->farewell.cancel();
  });
  state_->thread.join();
}

uint16_t Server::port() const { return state_->port; }

}  // namespace portcullis::http
