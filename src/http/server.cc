#include "http/server.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <set>
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

// One connection: read, answer, read again while the peer keeps it alive.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
    shared_.connections.insert(this);
  }
  ~Connection() {
    shared_.connections.erase(this);
    if (shared_.stopping && shared_.connections.empty()) shared_.on_last_closed();
  }

  void Read() {
    answering_ = false;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_.options.max_header_bytes));
    parser_->body_limit(shared_.options.max_body_bytes);
    stream_.expires_after(shared_.options.timeout);
    beast::http::async_read(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, size_t) { self->OnRead(error); });
  }

  bool answering() const { return answering_; }

  void Close() {
    error_code ignored;  // the peer may have gone already
    stream_.socket().shutdown(Tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

 private:
  void OnRead(error_code error) {
    if (error == beast::http::error::end_of_stream || error == beast::error::timeout) return Close();
    if (error == beast::http::error::header_limit)
      return Answer({.status = 431, .body = "request header too large\n"}, 11, false, false);
    if (error == beast::http::error::body_limit)
      return Answer({.status = 413, .body = "request body too large\n"}, 11, false, false);
    if (error.category() == beast::http::make_error_code(beast::http::error::bad_method).category()) {
      return Answer({.status = 400, .body = "malformed request\n"}, 11, false, false);
    }
    if (error) return Close();
    const auto& message = parser_->get();
    Request request = ToRequest(message);
    bool keep_alive = message.keep_alive() && !shared_.stopping;
    auto outcome = Dispatch(shared_, request);
    if (auto* leave = std::get_if<Switch>(&outcome)) return Leave(std::move(*leave));
    Answer(std::move(std::get<Response>(outcome)), message.version(), keep_alive, request.method == "HEAD");
  }

  // Writes the 101 and hands the socket on.
  void Leave(Switch leave) {
    answering_ = true;
    head_ = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
    for (const auto& [name, value] : leave.headers) head_ += name + ": " + value + "\r\n";
    head_ += "\r\n";
    stream_.expires_after(shared_.options.timeout);
    auto done = [self = shared_from_this(), take_over = std::move(leave.take_over)](error_code error, size_t) {
      if (error || self->shared_.stopping) return self->Close();
      const auto rest = self->buffer_.data();
      std::string received(static_cast<const char*>(rest.data()), rest.size());
      self->stream_.expires_never();
      const int socket = self->stream_.release_socket().release(error);
      if (error) return;
      take_over({base::UniqueFd(socket), std::move(received)});
    };
    asio::async_write(stream_, asio::buffer(head_), std::move(done));
  }

  void Answer(Response response, unsigned version, bool keep_alive, bool head) {
    answering_ = true;
    reply_ = {};
    reply_.version(version);
    reply_.result(static_cast<unsigned>(response.status));
    reply_.set(beast::http::field::content_type, response.content_type);
    reply_.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) reply_.insert(name, value);
    reply_.keep_alive(keep_alive);
    reply_.content_length(response.body.size());
    if (!head) reply_.body() = std::move(response.body);
    stream_.expires_after(shared_.options.timeout);
    auto done = [self = shared_from_this(), keep_alive](error_code error, size_t) {
      if (error || !keep_alive || self->shared_.stopping) return self->Close();
      self->Read();
    };
    if (!head) return beast::http::async_write(stream_, reply_, std::move(done));
    head_serializer_.emplace(reply_);
    beast::http::async_write_header(stream_, *head_serializer_, std::move(done));
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  bool answering_ = false;
  std::string head_;  // of a 101
  beast::flat_buffer buffer_;
  std::optional<beast::http::request_parser<beast::http::string_body>> parser_;
  beast::http::response<beast::http::string_body> reply_;
  std::optional<beast::http::response_serializer<beast::http::string_body>> head_serializer_;
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
