// port-forward.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <list>
#include <map>
#include <optional>
#include <ostream>

#include "base/strings.h"
#include "base/try.h"
#include "cli/crictl/port_pairs.h"
#include "cli/crictl/select.h"
#include "cli/crictl/stream_client.h"
#include "cli/crictl/terminal.h"
#include "cli/crictl/verbs.h"

namespace portcullis::cli {
namespace {

constexpr size_t kReadSize = 32u << 10;
constexpr size_t kMaxPending = 1u << 20;  // of one connection, for its local program; beyond, the pod is not read

struct Listener {
  base::UniqueFd socket;
  PortPair ports;  // with the local port in use
  size_t index = 0;
};

// One local connection.
struct Forwarded {
  base::UniqueFd socket;
  PortPair ports;
  http::StreamId data = 0;
  http::StreamId error = 0;
  std::string pending;  // for the local program
  std::string problem;  // what the error stream told
  bool local_ended = false;
  bool remote_ended = false;
  bool remote_end_told = false;
  bool error_ended = false;
  size_t index = 0;
};

Result<Listener> Listen(int family, PortPair ports) {
  const std::string what = fmt::format("unable to listen on port {}", ports.local);
  Listener listener{.socket = base::UniqueFd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
                    .ports = ports};
  if (!listener.socket.valid()) return FailErrno(errno, "{}", what);
  const int on = 1;
  ::setsockopt(listener.socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage address{};
  socklen_t length = 0;
  if (family == AF_INET) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(ports.local);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    length = sizeof v4;
  } else {
    ::setsockopt(listener.socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(ports.local);
    v6.sin6_addr = in6addr_loopback;
    length = sizeof v6;
  }
  if (::bind(listener.socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(listener.socket.get(), SOMAXCONN) != 0) {
    return FailErrno(errno, "{}", what);
  }
  if (::getsockname(listener.socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    return FailErrno(errno, "{}", what);
  listener.ports.local = ntohs(family == AF_INET ? reinterpret_cast<sockaddr_in&>(address).sin_port
                                                 : reinterpret_cast<sockaddr_in6&>(address).sin6_port);
  return listener;
}

class Forwarder : public http::StreamEvents {
 public:
  Forwarder(Session& session, ClientConnection connection)
      : session_(session), connection_(std::move(connection)), wire_(*connection_.wire) {}

  // On 127.0.0.1 and, where the host has it, ::1.
  Result<void> ListenOn(const std::vector<PortPair>& pairs) {
    for (const PortPair& pair : pairs) {
      ASSIGN_OR_RETURN(Listener v4, Listen(AF_INET, pair));
      const PortPair chosen = v4.ports;
      listeners_.push_back(std::move(v4));
      session_.out << fmt::format("Forwarding from 127.0.0.1:{} -> {}\n", chosen.local, chosen.remote);
      if (auto v6 = Listen(AF_INET6, chosen)) {
        listeners_.push_back(*std::move(v6));
        session_.out << fmt::format("Forwarding from [::1]:{} -> {}\n", chosen.local, chosen.remote);
      }
    }
    session_.out.flush();
    return {};
  }

  // Until a signal.
  Result<void> Run() {
    ASSIGN_OR_RETURN(SignalPipe signals, SignalPipe::Open());
    TRY(wire_.Begin(*this));
    while (!left_) {
      for (Forwarded& item : forwarded_) Tend(item);
      forwarded_.remove_if([](const Forwarded& item) { return !item.socket.valid() && item.error_ended; });
      http::PollSet set;
      const size_t signal = set.Add(signals.fd(), POLLIN);
      for (Listener& listener : listeners_) listener.index = set.Add(listener.socket.get(), POLLIN);
      bool blocked = false;
      for (Forwarded& item : forwarded_) {
        blocked = blocked || item.pending.size() >= kMaxPending;
        const bool read = !item.local_ended && !wire_.IsFull();
        const auto wanted = static_cast<short>((read ? POLLIN : 0) | (item.pending.empty() ? 0 : POLLOUT));
        item.index = set.Add(wanted == 0 ? -1 : item.socket.get(), wanted);
      }
      wire_.Watch(set, !blocked);
      TRY(set.Wait({}));
      if (set.Ready(signal) != 0 && signals.Take() != SIGWINCH) return {};
      for (Forwarded& item : forwarded_) Serve(item, set.Ready(item.index));
      for (const Listener& listener : listeners_) {
        if (set.Ready(listener.index) != 0) Accept(listener);
      }
      if (!wire_.Serve(set, *this)) break;
    }
    return Fail(Code::kUnavailable, "lost connection to pod");
  }

 private:
  void OnOpen(http::StreamId id, const http::StreamHeaders&) override { wire_.streams().Reset(id); }
  void OnData(http::StreamId id, std::string_view data) override {
    for (Forwarded& item : forwarded_) {
      if (item.data == id && item.socket.valid()) item.pending += data;
      if (item.error == id && item.problem.size() < kReadSize) item.problem += data;
    }
  }
  void OnEnd(http::StreamId id) override {
    for (Forwarded& item : forwarded_) {
      if (item.data == id) item.remote_ended = true;
      if (item.error == id && !std::exchange(item.error_ended, true)) TellProblem(item);
    }
  }
  void OnReset(http::StreamId id) override { OnEnd(id); }
  void OnClose() override { left_ = true; }

  void TellProblem(Forwarded& item) {
    if (item.problem.empty()) return;
    session_.err << fmt::format("an error occurred forwarding {} -> {}: {}\n", item.ports.local, item.ports.remote,
                                item.problem);
    session_.err.flush();
    item.remote_ended = true;
  }

  void Accept(const Listener& listener) {
    base::UniqueFd socket(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid()) return;  // it has gone meanwhile
    session_.out << fmt::format("Handling connection for {}\n", listener.ports.local);
    session_.out.flush();
    Forwarded& item = forwarded_.emplace_back();
    item.socket = std::move(socket);
    item.ports = listener.ports;
    http::StreamHeaders headers = {{"streamtype", "error"},
                                   {"port", std::to_string(item.ports.remote)},
                                   {"requestid", std::to_string(next_request_++)}};
    item.error = connection_.open(headers);
    wire_.streams().End(item.error);  // errors come from the other side only
    headers["streamtype"] = "data";
    item.data = connection_.open(headers);
  }

  void Serve(Forwarded& item, short ready) {
    if (ready == 0 || !item.socket.valid()) return;
    if (!item.pending.empty()) {
      const ssize_t n =
          ::send(item.socket.get(), item.pending.data(), item.pending.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n > 0) item.pending.erase(0, static_cast<size_t>(n));
      if (n < 0 && errno != EAGAIN && errno != EINTR) return Close(item);
    }
    if (item.local_ended || (ready & (POLLIN | POLLHUP | POLLERR)) == 0) return;
    std::string buffer(kReadSize, '\0');
    const ssize_t n = ::recv(item.socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) return wire_.streams().Send(item.data, std::string_view(buffer).substr(0, static_cast<size_t>(n)));
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) return Close(item);
    item.local_ended = true;
    wire_.streams().End(item.data);
  }

  void Tend(Forwarded& item) {
    if (!item.socket.valid()) return;
    if (item.remote_ended && item.pending.empty() && !std::exchange(item.remote_end_told, true)) {
      ::shutdown(item.socket.get(), SHUT_WR);
    }
    if (item.remote_end_told && (item.local_ended || !item.problem.empty())) Close(item);
  }

  // The local program has gone, or all is said.
  void Close(Forwarded& item) {
    item.socket.Reset();
    item.pending.clear();
    wire_.streams().Reset(item.data);
  }

  Session& session_;
  ClientConnection connection_;
  http::Wire& wire_;
  std::vector<Listener> listeners_;
  std::list<Forwarded> forwarded_;
  int next_request_ = 0;
  bool left_ = false;
};

}  // namespace

Result<std::vector<PortPair>> ParsePortPairs(const std::vector<std::string>& texts) {
  std::vector<PortPair> pairs;
  for (const std::string& text : texts) {
    const auto parts = base::Split(text, ':');
    const auto local = parts.size() == 2 && parts[0].empty() ? std::optional<uint64_t>(0) : base::ParseUint(parts[0]);
    const auto remote = base::ParseUint(parts.back());
    if (parts.size() > 2 || !local || *local > UINT16_MAX) {
      return Fail(Code::kInvalidArgument, "invalid port format {}: expected [LOCAL:]REMOTE", base::Quote(text));
    }
    if (!remote || *remote == 0 || *remote > UINT16_MAX) {
      return Fail(Code::kInvalidArgument, "remote port of {} must be between 1 and 65535", base::Quote(text));
    }
    pairs.push_back({.local = static_cast<uint16_t>(*local), .remote = static_cast<uint16_t>(*remote)});
  }
  return pairs;
}

Result<void> ForwardPorts(Session& session, const PortForwardOptions& options) {
  TRY(CheckStreamOptions(options.stream));
  if (options.ports.empty()) {
    return Fail(Code::kInvalidArgument, "no port given, expected: port-forward POD-ID [LOCAL_PORT:]REMOTE_PORT...");
  }
  ASSIGN_OR_RETURN(const std::vector<PortPair> pairs, ParsePortPairs(options.ports));
  ASSIGN_OR_RETURN(const std::string id, ResolvePod(session, options.id));
  auto answer = session.runtime.PortForward({.pod_sandbox_id = id});
  if (!answer) return Wrap(std::move(answer).error(), "port forward");
  auto connection = OpenPortForward(answer->url, options.stream);
  if (!connection) return Wrap(std::move(connection).error(), "port forward");
  Forwarder forwarder(session, *std::move(connection));
  if (auto listening = forwarder.ListenOn(pairs); !listening) return Wrap(listening.error(), "port forward");
  if (auto done = forwarder.Run(); !done) return Wrap(done.error(), "port forward");
  return {};
}

}  // namespace portcullis::cli
