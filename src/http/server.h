// A small HTTP/1.1 server for the node's own endpoints: exact routes, bounded everything, one thread.
//
//   http::Server server({.address = "127.0.0.1", .port = 10248});
//   server.Handle("GET", "/healthz", [](const http::Request&) { return http::Response{.body = "ok"}; });
//   TRY(server.Start());          // server.port() is the port in use (port = 0: any free one)
//   ...
//   server.Stop();                // answers what has been received, closes, joins the thread
//
// Handlers run on the server's thread, one at a time, and must not block for long. HEAD is answered by the GET route
// without the body. Unknown path: 404; known path with another method: 405; header or body over the limit: 431 or 413;
// malformed: 400. Connections over the limit are closed at once.
//
// With ServerOptions::tls all of it is encrypted, and who does not speak TLS gets no answer.
//
// A connection may leave HTTP: the handler of an Upgrade route answers either with a response or with a Switch, which
// gets the socket once 101 is written. From then on it is no connection of the server's: not counted, not closed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/tls/tls_context.h"

namespace portcullis::http {

struct Request {
  std::string method;
  std::string path;                            // without the query, as sent (percent escapes are kept)
  std::string query;                           // after '?', "" if none
  std::map<std::string, std::string> headers;  // names in lower case; repeated ones are joined with ", "
  std::string body;
};

using HeaderLines = std::vector<std::pair<std::string, std::string>>;

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  HeaderLines headers = {};  // besides the content's type and length
};

using Handler = std::function<Response(const Request&)>;

// A connection that has left HTTP.
struct Upgraded {
  base::UniqueFd socket;                      // does not block
  std::string received;                       // bytes after the request that have been read already
  std::unique_ptr<TlsSession> tls = nullptr;  // what the connection is encrypted with, or none
};

struct Switch {
  HeaderLines headers;                      // of the 101, besides Connection: Upgrade
  std::function<void(Upgraded)> take_over;  // on the server's thread: must not block
};

using UpgradeHandler = std::function<std::variant<Response, Switch>(const Request&)>;

struct ServerOptions {
  std::string address = "127.0.0.1";  // IPv4 or IPv6 literal; loopback unless the user asks for more
  uint16_t port = 0;                  // 0: any free port
  size_t max_header_bytes = 16u << 10;
  size_t max_body_bytes = 1u << 20;
  size_t max_connections = 64;
  std::chrono::milliseconds timeout{std::chrono::seconds(30)};  // for one request, one response, and an idle connection
  std::shared_ptr<TlsServerContext> tls;                        // none: no TLS
};

class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Before Start only.
  void Handle(std::string method, std::string path, Handler handler);
  // GET and POST of every path that begins with `prefix` ("/exec/"). Before Start only.
  void HandleUpgrade(std::string prefix, UpgradeHandler handler);
  // Binds, listens and serves on an own thread. Errors name address and port (kAlreadyExists: in use).
  Result<void> Start();
  void Stop();  // idempotent
  uint16_t port() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::http
