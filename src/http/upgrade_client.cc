#include "http/upgrade_client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>

#include "base/clock.h"
#include "base/strings.h"
#include "base/try.h"
#include "http/url_part.h"

namespace portcullis::http {
namespace {

namespace beast = boost::beast;
using Deadline = std::chrono::steady_clock::time_point;

constexpr size_t kMaxBody = 64u << 10;  // of a refusal

struct Target {
  bool secure = false;
  std::string host;  // without brackets
  std::string port;
  std::string path;  // with the query
};

Result<Target> ParseTarget(const std::string& url) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return Fail(Code::kInvalidArgument, "{} is not a URL", base::Quote(url));
  const auto part = [&](CURLUPart which) { return UrlPart(parsed.get(), which); };
  const std::string scheme = part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https")
    return Fail(Code::kUnimplemented, "{}: streaming over {} is not supported, only over http and https",
                base::Quote(url), scheme);
  Target target{.secure = scheme == "https",
                .host = part(CURLUPART_HOST),
                .port = part(CURLUPART_PORT),
                .path = part(CURLUPART_PATH)};
  if (target.host.starts_with('[')) target.host = target.host.substr(1, target.host.size() - 2);
  if (const std::string query = part(CURLUPART_QUERY); !query.empty()) target.path += "?" + query;
  return target;
}

Result<void> Await(int socket, short events, Deadline deadline, const std::string& what) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - base::Now()).count();
    pollfd fd{socket, events, 0};
    const int ready = left > 0 ? ::poll(&fd, 1, static_cast<int>(left)) : 0;
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return FailErrno(errno, "{}", what);
    if (ready == 0) return Fail(Code::kUnavailable, "{}: no answer in time", what);
  }
}

Result<base::UniqueFd> Connect(const Target& target, Deadline deadline) {
  const std::string what = fmt::format("connect to {} port {}", target.host, target.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found); code != 0)
    return Fail(Code::kUnavailable, "{}: {}", what, ::gai_strerror(code));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  int last = ENOENT;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    base::UniqueFd socket(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid()) return FailErrno(errno, "{}", what);
    if (::connect(socket.get(), address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
      last = errno;
      continue;
    }
    TRY(Await(socket.get(), POLLOUT, deadline, what));
    socklen_t length = sizeof last;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &last, &length) != 0 || last != 0) continue;
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
  }
  return Fail(Code::kUnavailable, "{}: {}", what, ErrnoText(last));
}

Result<void> SendAll(int socket, std::string_view text, Deadline deadline, const std::string& what) {
  while (!text.empty()) {
    TRY(Await(socket, POLLOUT, deadline, what));
    const ssize_t n = ::send(socket, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return FailErrno(errno, "{}", what);
    if (n > 0) text.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

// The connection while it still speaks HTTP.
struct Link {
  base::UniqueFd socket;
  std::unique_ptr<TlsSession> tls;
  Deadline deadline;
  std::string what;

  Result<void> Send(std::string_view text) {
    if (!tls) return SendAll(socket.get(), text, deadline, what);
    tls->Send(text);
    return SendAll(socket.get(), std::exchange(tls->output(), {}), deadline, what);
  }

  // Appends to `received` what has come, which may be nothing. False: no more will come.
  Result<bool> Receive(std::string& received) {
    TRY(Await(socket.get(), POLLIN, deadline, what));
    char buffer[4096];
    const ssize_t n = ::recv(socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n < 0) return FailErrno(errno, "{}", what);
    const std::string_view bytes(buffer, static_cast<size_t>(n));
    if (n == 0) return false;
    if (!tls) {
      received += bytes;
      return true;
    }
    auto taken = tls->Receive(bytes, received);
    auto told = SendAll(socket.get(), std::exchange(tls->output(), {}), deadline, what);
    if (!taken) return Wrap(std::move(taken).error(), "{}", what);
    TRY(told);
    return !tls->HasPeerEnded();
  }
};

}  // namespace

Result<UpgradeAnswer> RequestUpgrade(const UpgradeRequest& request) {
  const Deadline deadline = base::Now() + request.timeout;
  ASSIGN_OR_RETURN(const Target target, ParseTarget(request.url));
  Link link{.deadline = deadline,
            .what = fmt::format("upgrade the connection to {} port {}", target.host, target.port)};
  if (target.secure) {
    ASSIGN_OR_RETURN(link.tls, ConnectTls(request.tls));
  }
  ASSIGN_OR_RETURN(link.socket, Connect(target, deadline));
  const std::string host = target.host.find(':') == std::string::npos ? target.host : "[" + target.host + "]";
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}:{}\r\n", request.method, target.path, host, target.port);
  for (const auto& [name, value] : request.headers) head += name + ": " + value + "\r\n";
  if (request.method == "POST") head += "Content-Length: 0\r\n";
  head += "\r\n";
  TRY(link.Send(head));
  const std::string& what = link.what;

  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(kMaxBody);
  std::string received;
  while (!parser.is_done()) {
    ASSIGN_OR_RETURN(const bool more, link.Receive(received));
    boost::system::error_code error;
    while (!received.empty() && !parser.is_done()) {
      const size_t used = parser.put(boost::asio::buffer(received), error);
      received.erase(0, used);
      if (error == beast::http::error::need_more) break;
      if (error) return Fail(Code::kUnavailable, "{}: not an HTTP answer: {}", what, error.message());
      // A 101 has no body, whatever follows.
      if (parser.is_header_done() && parser.get().result_int() == 101) break;
    }
    if (parser.is_header_done() && parser.get().result_int() == 101) break;
    if (more) continue;
    parser.put_eof(error);
    if (error || !parser.is_done()) return Fail(Code::kUnavailable, "{}: the server has hung up", what);
  }
  const auto& message = parser.get();
  if (message.result_int() != 101) {
    return Fail(Code::kFailedPrecondition, "{}: the server answers {}: {}", what, message.result_int(),
                base::Trim(message.body()));
  }
  UpgradeAnswer answer{.headers = {}, .connection = {std::move(link.socket), std::move(received), std::move(link.tls)}};
  for (const auto& field : message) {
    const std::string_view name(field.name_string().data(), field.name_string().size());
    answer.headers[base::ToLower(name)] = std::string(field.value());
  }
  return answer;
}

}  // namespace portcullis::http
