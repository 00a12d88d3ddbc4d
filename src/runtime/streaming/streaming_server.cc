#include "runtime/streaming/streaming_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <variant>

#include "base/clock.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/thread.h"
#include "base/try.h"
#include "http/server.h"
#include "runtime/streaming/handshake.h"
#include "runtime/streaming/token_cache.h"
#include "runtime/streaming/transport.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxSessions = 1000;  // at once
constexpr std::chrono::seconds kStopLimit{30};

using StreamingRequest = std::variant<StdioRequest, ForwardRequest>;

struct Waiting {
  StreamingKind kind;
  StreamingRequest request;
};

// Keystrokes go at once; a peer that vanished is noticed within minutes.
void TuneSocket(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  const int idle_seconds = 60;
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
}

std::string HostOf(const std::string& address) {
  if (address == "0.0.0.0") return "127.0.0.1";
  if (address == "::") return "[::1]";
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

}  // namespace

struct StreamingServer::State {
  State(StreamingOptions wanted, std::shared_ptr<http::TlsServerContext> tls)
      : options(std::move(wanted)),
        http({.address = options.address, .port = options.port, .max_connections = 1000, .tls = std::move(tls)}) {}

  const StreamingOptions options;
  TokenCache<std::shared_ptr<const Waiting>> cache;
  base::UniqueFd stop{::eventfd(0, EFD_CLOEXEC)};
  std::mutex mutex;
  std::condition_variable ended;
  size_t sessions = 0;
  http::Server http;  // last: its thread uses the rest

  std::variant<http::Response, http::Switch> Upgrade(StreamingKind kind, const http::Request& request) {
    auto waiting = cache.Take(request.path.substr(request.path.find('/', 1) + 1), base::Now());
    if (!waiting || (*waiting)->kind != kind) return http::Response{.status = 404, .body = "404 page not found\n"};
    auto negotiated = Negotiate(request, kind);
    if (auto* refusal = std::get_if<http::Response>(&negotiated)) return std::move(*refusal);
    Agreed& agreed = std::get<Agreed>(negotiated);
    if (kind == StreamingKind::kPortForward && agreed.transport == Transport::kChannels) {
      Waiting forward = **waiting;
      auto& ports = std::get<ForwardRequest>(forward.request).ports;
      const auto found = ChannelPorts(ports, request.query);
      if (!found) return http::Response{.status = 400, .body = found.error().message + "\n"};
      ports = *found;
      *waiting = std::make_shared<const Waiting>(std::move(forward));
    }
    {
      const std::lock_guard lock(mutex);
      if (sessions >= kMaxSessions) return http::Response{.status = 503, .body = "too many sessions\n"};
    }
    http::HeaderLines headers = agreed.headers;
    return http::Switch{.headers = std::move(headers),
                        .take_over = [this, waiting = *waiting, agreed](http::Upgraded upgraded) {
                          StartSession(waiting, agreed, std::move(upgraded));
                        }};
  }

  void StartSession(std::shared_ptr<const Waiting> waiting, const Agreed& agreed, http::Upgraded upgraded) {
    auto taken = std::make_shared<http::Upgraded>(std::move(upgraded));
    {
      const std::lock_guard lock(mutex);
      ++sessions;
    }
    auto session = base::StartThread("serve streams", [this, waiting = std::move(waiting), agreed, taken] {
      RunSession(*waiting, agreed, std::move(*taken));
      const std::lock_guard lock(mutex);
      --sessions;
      ended.notify_all();
    });
    if (session) return session->detach();
    base::LogWarning("a streaming session is refused", {{"error", session.error().message}});
    const std::lock_guard lock(mutex);
    --sessions;
  }

  void RunSession(const Waiting& waiting, const Agreed& agreed, http::Upgraded upgraded) {
    TuneSocket(upgraded.socket.get());
    const auto* stdio = std::get_if<StdioRequest>(&waiting.request);
    auto channels =
        stdio != nullptr ? StdioChannels(*stdio) : ForwardChannels(std::get<ForwardRequest>(waiting.request));
    http::Wire wire(std::move(upgraded.socket), std::move(upgraded.received), MakeStreams(agreed, std::move(channels)),
                    std::move(upgraded.tls));
    if (stdio != nullptr) {
      RunStdioSession(wire, *stdio, HasJsonStatus(agreed.protocol), options.limits, stop.get());
    } else {
      RunForwardSession(wire, std::get<ForwardRequest>(waiting.request), options.limits, stop.get());
    }
  }

  Result<std::string> Add(StreamingKind kind, const std::string& path, StreamingRequest request) {
    ASSIGN_OR_RETURN(const std::string token,
                     cache.Insert(std::make_shared<const Waiting>(Waiting{kind, std::move(request)}), base::Now()));
    return fmt::format("{}://{}:{}{}{}", options.tls.cert_file.empty() ? "http" : "https", HostOf(options.address),
                       http.port(), path, token);
  }
};

namespace {

constexpr char kExecPath[] = "/exec/";
constexpr char kAttachPath[] = "/attach/";
constexpr char kForwardPath[] = "/portforward/";

}  // namespace

StreamingServer::StreamingServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<StreamingServer>> StreamingServer::Start(StreamingOptions options) {
  const http::TlsServerFiles& files = options.tls;
  if (files.cert_file.empty() != files.key_file.empty() || (files.cert_file.empty() && !files.client_ca_file.empty())) {
    return Fail(Code::kInvalidArgument,
                "start the streaming server: TLS needs a certificate and its key (certificate {}, key {}, client "
                "authorities {})",
                base::Quote(files.cert_file), base::Quote(files.key_file), base::Quote(files.client_ca_file));
  }
  std::shared_ptr<http::TlsServerContext> tls;
  if (!options.tls.cert_file.empty()) {
    auto loaded = http::TlsServerContext::Load(options.tls);
    if (!loaded) return Wrap(std::move(loaded).error(), "start the streaming server");
    tls = *std::move(loaded);
  }
  auto state = std::make_unique<State>(std::move(options), std::move(tls));
  if (!state->stop.valid()) return FailErrno(errno, "start the streaming server: eventfd");
  for (const auto& [path, kind] : {std::pair{kExecPath, StreamingKind::kExec},
                                   {kAttachPath, StreamingKind::kAttach},
                                   {kForwardPath, StreamingKind::kPortForward}}) {
    state->http.HandleUpgrade(path, [raw = state.get(), wanted = kind](const http::Request& request) {
      return raw->Upgrade(wanted, request);
    });
  }
  if (auto started = state->http.Start(); !started) {
    return Wrap(std::move(started).error(), "start the streaming server");
  }
  return std::unique_ptr<StreamingServer>(new StreamingServer(std::move(state)));
}

StreamingServer::~StreamingServer() {
  state_->http.Stop();
  const uint64_t one = 1;
  if (::write(state_->stop.get(), &one, sizeof one) < 0) base::LogWarning("streaming sessions cannot be told to end");
  std::unique_lock lock(state_->mutex);
  const bool all = state_->ended.wait_for(lock, kStopLimit, [this] { return state_->sessions == 0; });
  if (all) return;
  base::LogWarning("streaming sessions are still at work", {{"sessions", std::to_string(state_->sessions)}});
  lock.unlock();
  // They use it: it stays.
  static_cast<void>(state_.release());  // NOLINT(bugprone-unused-return-value)
}

Result<std::string> StreamingServer::AddExec(StdioRequest request) {
  return state_->Add(StreamingKind::kExec, kExecPath, std::move(request));
}
Result<std::string> StreamingServer::AddAttach(StdioRequest request) {
  return state_->Add(StreamingKind::kAttach, kAttachPath, std::move(request));
}
Result<std::string> StreamingServer::AddPortForward(ForwardRequest request) {
  return state_->Add(StreamingKind::kPortForward, kForwardPath, std::move(request));
}

}  // namespace portcullis::runtime
