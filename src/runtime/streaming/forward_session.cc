#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/clock.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/try.h"
#include "runtime/streaming/forward_connect.h"
#include "runtime/streaming/session.h"

namespace portcullis::runtime {
namespace {

using std::chrono::milliseconds;
using Time = std::chrono::steady_clock::time_point;

constexpr size_t kMaxPending = 256u << 10;  // of one connection, for its pod; beyond, the client is not read
constexpr size_t kReadSize = 32u << 10;
constexpr size_t kMaxConnections = 500;

// One forwarded connection.
struct Connection {
  std::string request_id;
  uint16_t port = 0;
  http::StreamId data = 0;  // 0: not opened yet
  http::StreamId error = 0;
  Time opened;
  int family = AF_INET;
  base::UniqueFd socket;
  bool connected = false;
  std::string refusal;  // of IPv4, while IPv6 is tried
  std::string pending;  // for the pod
  bool client_ended = false;
  bool client_end_told = false;
  bool pod_ended = false;
  bool over = false;
  Time blocked_since{};  // when pending last became too much or last moved
  size_t index = 0;
};

class ForwardSession : public http::StreamEvents {
 public:
  ForwardSession(http::Wire& wire, const ForwardRequest& request, const SessionLimits& limits, int stop_fd)
      : wire_(wire), request_(request), limits_(limits), stop_fd_(stop_fd) {}

  Result<void> Run() {
    TRY(wire_.Begin(*this));
    while (!left_) {
      Tend();
      if (wire_.streams().IsFixed() && connections_.empty()) break;
      const auto idle_left = limits_.idle - wire_.Idle();
      if (idle_left.count() <= 0) return Fail(Code::kDeadlineExceeded, "idle for too long");
      http::PollSet set;
      const size_t stop = set.Add(stop_fd_, POLLIN);
      wire_.Watch(set, !IsBlocked());
      const bool room = !wire_.IsFull();
      for (auto& connection : connections_) Watch(connection, set, room);
      TRY(set.Wait(std::min(idle_left, NextLook())));
      if (set.Ready(stop) != 0) return Fail(Code::kCancelled, "the server stops");
      for (auto& connection : connections_) Serve(connection, set);
      TRY(wire_.Serve(set, *this));
    }
    return {};
  }

 private:
  void OnOpen(http::StreamId id, const http::StreamHeaders& headers) override {
    const auto header = [&](const char* name) {
      const auto found = headers.find(name);
      return found == headers.end() ? std::string() : found->second;
    };
    const std::string type = header("streamtype");
    const auto port = base::ParseUint(header("port"));
    if ((type != "data" && type != "error") || !port || *port == 0 || *port > UINT16_MAX) {
      base::LogDebug("port-forward: stream refused", {{"streamtype", type}, {"port", header("port")}});
      return wire_.streams().Reset(id);
    }
    // Clients of before Kubernetes 1.2 send no id: their data stream is opened right after its error stream.
    std::string request_id = header("requestid");
    if (request_id.empty()) request_id = std::to_string(type == "error" ? id : id - 2);
    auto found = std::find_if(connections_.begin(), connections_.end(), [&](const Connection& connection) {
      return connection.request_id == request_id && !connection.over;
    });
    if (found == connections_.end()) {
      if (connections_.size() >= kMaxConnections) return wire_.streams().Reset(id);
      connections_.emplace_back();
      found = std::prev(connections_.end());
      found->request_id = request_id;
      found->opened = base::Now();
      found->port = static_cast<uint16_t>(*port);
    }
    http::StreamId& mine = type == "data" ? found->data : found->error;
    if (mine != 0) return wire_.streams().Reset(id);
    mine = id;
    if (found->data != 0 && found->error != 0) Connect(*found);
  }

  void OnData(http::StreamId id, std::string_view data) override {
    Connection* connection = WithData(id);
    if (connection == nullptr || connection->over) return;
    if (connection->pending.size() < kMaxPending) connection->blocked_since = base::Now();
    connection->pending += data;
  }
  void OnEnd(http::StreamId id) override {
    if (Connection* connection = WithData(id)) connection->client_ended = true;
  }
  void OnReset(http::StreamId id) override {
    for (Connection& connection : connections_) {
      if (connection.data == id) End(connection, "");
    }
  }
  void OnClose() override { left_ = true; }

  Connection* WithData(http::StreamId id) {
    const auto found = std::find_if(connections_.begin(), connections_.end(),
                                    [id](const Connection& connection) { return connection.data == id; });
    return found == connections_.end() ? nullptr : &*found;
  }

  void Connect(Connection& connection) {
    auto socket = BeginConnect(request_.network_namespace, connection.family, connection.port);
    if (!socket) return Refused(connection, socket.error().message);
    connection.socket = *std::move(socket);
  }

  void Refused(Connection& connection, const std::string& why) {
    connection.socket.Reset();
    if (connection.family == AF_INET) {
      connection.refusal = why;
      connection.family = AF_INET6;
      return Connect(connection);
    }
    const std::string inside = request_.network_namespace.empty()
                                   ? "on the host's network"
                                   : "inside namespace " + base::Quote(request_.network_namespace);
    End(connection, fmt::format("failed to connect to localhost:{} {}, IPv4: {} IPv6: {}", connection.port, inside,
                                connection.refusal, why));
  }

  // The end of a connection, with what the client is told about it.
  void End(Connection& connection, const std::string& problem) {
    http::Streams& streams = wire_.streams();
    if (!problem.empty() && connection.error != 0) {
      streams.Send(connection.error,
                   fmt::format("error forwarding port {} to pod {}, uid : {}", connection.port, request_.pod, problem));
    }
    if (connection.error != 0) streams.End(connection.error);
    if (connection.data != 0) {
      streams.End(connection.data);
      // Nobody takes what the client still sends.
      if (!connection.client_ended) streams.Reset(connection.data);
    }
    connection.over = true;
    connection.socket.Reset();
  }

  // What does not come from a descriptor: connections that are over, that never were whole, that hold up the others.
  void Tend() {
    const auto now = base::Now();
    for (Connection& connection : connections_) {
      if (connection.over) continue;
      if (connection.connected && connection.client_ended && connection.pending.empty() &&
          !std::exchange(connection.client_end_told, true)) {
        ::shutdown(connection.socket.get(), SHUT_WR);
      }
      const bool client_is_done = connection.client_end_told || wire_.streams().IsFixed();
      if (connection.socket.valid() && connection.pod_ended && client_is_done) End(connection, "");
      if ((connection.data == 0 || connection.error == 0) && now - connection.opened >= limits_.creation) {
        End(connection, "timed out waiting for streams");
      }
      const bool stuck = connection.pending.size() >= kMaxPending && now - connection.blocked_since >= limits_.blocked;
      if (stuck && connections_.size() > 1) End(connection, "the pod reads nothing, and other connections wait");
    }
    std::erase_if(connections_, [](const Connection& connection) { return connection.over; });
  }

  milliseconds NextLook() const {
    const bool soon = std::any_of(connections_.begin(), connections_.end(), [](const Connection& connection) {
      return connection.over || connection.data == 0 || connection.error == 0 ||
             connection.pending.size() >= kMaxPending || (connection.pod_ended && connection.client_end_told);
    });
    return soon ? milliseconds(500) : milliseconds(std::chrono::hours(1));
  }

  bool IsBlocked() const {
    return std::any_of(connections_.begin(), connections_.end(), [](const Connection& connection) {
      return !connection.over && connection.pending.size() >= kMaxPending;
    });
  }

  static void Watch(Connection& connection, http::PollSet& set, bool room) {
    short wanted = 0;
    if (!connection.connected || !connection.pending.empty()) wanted |= POLLOUT;
    if (connection.connected && room && !connection.pod_ended) wanted |= POLLIN;
    const bool silent = wanted == 0;  // a hang-up alone would make poll spin
    connection.index = set.Add(connection.over || silent ? -1 : connection.socket.get(), wanted);
  }

  void Serve(Connection& connection, const http::PollSet& set) {
    const short ready = set.Ready(connection.index);
    if (connection.over || !connection.socket.valid()) return;
    if (!connection.connected) {
      if (ready == 0) return;
      if (const int error = ConnectOutcome(connection.socket.get()); error != 0) {
        return Refused(connection, ErrnoText(error));
      }
      connection.connected = true;
    }
    if ((ready & (POLLOUT | POLLERR)) != 0 && !connection.pending.empty()) Write(connection);
    if (!connection.over && (ready & (POLLIN | POLLHUP | POLLERR)) != 0 && !connection.pod_ended) Read(connection);
  }

  void Write(Connection& connection) {
    const ssize_t n = ::send(connection.socket.get(), connection.pending.data(), connection.pending.size(),
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
      connection.pending.erase(0, static_cast<size_t>(n));
      connection.blocked_since = base::Now();
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
      // It may still have sent an answer; that is read to its end.
      connection.pending.clear();
      connection.client_ended = true;
    }
  }

  void Read(Connection& connection) {
    std::string buffer(kReadSize, '\0');
    const ssize_t n = ::recv(connection.socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) return wire_.streams().Send(connection.data, std::string_view(buffer).substr(0, static_cast<size_t>(n)));
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) return End(connection, fmt::format("the connection to the pod is lost: {}", ErrnoText(errno)));
    connection.pod_ended = true;
    wire_.streams().End(connection.data);
    wire_.streams().End(connection.error);  // clients wait for this before they close their side
  }

  http::Wire& wire_;
  const ForwardRequest& request_;
  const SessionLimits& limits_;
  const int stop_fd_;
  bool left_ = false;
  std::vector<Connection> connections_;
};

}  // namespace

void RunForwardSession(http::Wire& wire, const ForwardRequest& request, const SessionLimits& limits, int stop_fd) {
  ForwardSession session(wire, request, limits, stop_fd);
  const auto ended = session.Run();
  if (!ended) base::LogDebug("a port-forward ended", {{"error", ended.error().message}});
  wire.streams().Close();
  if (ended) wire.Farewell(limits.farewell);
}

}  // namespace portcullis::runtime
