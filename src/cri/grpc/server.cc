#include "cri/grpc/server.h"

#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "base/try.h"
#include "base/unique_fd.h"
#include "cri/grpc/api.grpc.pb.h"
#include "cri/grpc/convert.h"
#include "cri/grpc/thread_pool.h"

namespace portcullis::cri {
namespace {

namespace v1 = runtime::v1;

constexpr int kMaxMessageBytes = 16 << 20;

grpc::Status ToStatus(const Error& error) {
  return grpc::Status(static_cast<grpc::StatusCode>(error.code), error.message);
}

// One server stream: a pool thread produces messages and waits until gRPC has taken each.
template <class Response>
class StreamReactor : public grpc::ServerWriteReactor<Response> {
 public:
  // Called on a pool thread; false once the peer has gone.
  bool Write(Response message) {
    std::unique_lock lock(mutex_);
    if (cancelled_) return false;
    message_ = std::move(message);
    writing_ = true;
    this->StartWrite(&message_);
    changed_.wait(lock, [this] { return !writing_; });
    return ok_ && !cancelled_;
  }
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    ok_ = ok;
    changed_.notify_all();
  }
  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  void OnDone() override { Unref(); }

  // Two owners: the producing thread and gRPC; the last one deletes.
  void Unref() {
    if (owners_.fetch_sub(1) == 1) delete this;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Response message_;
  bool writing_ = false;
  bool ok_ = true;
  bool cancelled_ = false;
  std::atomic<int> owners_{2};
};

// Runs one unary call on the pool and finishes its reactor there.
template <class Response, class ProtoRequest, class ProtoResponse, class Call>
grpc::ServerUnaryReactor* RunUnary(ThreadPool& pool, grpc::CallbackServerContext* context, const ProtoRequest* request,
                                   ProtoResponse* response, Call call) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  pool.Run([reactor, request, response, call] {
    Result<Response> result = call(*request);
    if (!result) {
      reactor->Finish(ToStatus(result.error()));
      return;
    }
    ToProto(*result, *response);
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

// A stream may last as long as its client, so each has a thread of its own instead of a place in the pool.
template <class ProtoResponse, class ProtoRequest, class Call>
grpc::ServerWriteReactor<ProtoResponse>* RunStream(const ProtoRequest* request, Call call) {
  auto* reactor = new StreamReactor<ProtoResponse>();
  std::thread([reactor, request = *request, call] {
    Result<void> result = call(request, *reactor);
    reactor->Finish(result ? grpc::Status::OK : ToStatus(result.error()));
    reactor->Unref();
  }).detach();
  return reactor;
}

#define CRI_METHOD_BODY_(method, request_type, response_type)                                                 \
  grpc::ServerUnaryReactor* method(grpc::CallbackServerContext* context, const v1::request_type* request,     \
                                   v1::response_type* response) override {                                    \
    return RunUnary<response_type>(pool_, context, request, response, [this](const v1::request_type& proto) { \
      request_type plain;                                                                                     \
      FromProto(proto, plain);                                                                                \
      return api_.method(plain);                                                                              \
    });                                                                                                       \
  }
#define CRI_STREAM_BODY_(method, request_type, response_type)                                                        \
  grpc::ServerWriteReactor<v1::response_type>* method(grpc::CallbackServerContext*, const v1::request_type* request) \
      override {                                                                                                     \
    return RunStream<v1::response_type>(                                                                             \
        request, [this](const v1::request_type& proto, StreamReactor<v1::response_type>& reactor) {                  \
          request_type plain;                                                                                        \
          FromProto(proto, plain);                                                                                   \
          return api_.method(plain, [&reactor](const response_type& message) {                                       \
            v1::response_type out;                                                                                   \
            ToProto(message, out);                                                                                   \
            return reactor.Write(std::move(out));                                                                    \
          });                                                                                                        \
        });                                                                                                          \
  }

// The method table holds both services; each class takes its own lines through the macro SERVICE_<name>.
#define CRI_METHOD(service, method, request, response) SERVICE_##service(CRI_METHOD_BODY_(method, request, response))
#define CRI_METHOD_STREAM(service, method, request, response) \
  SERVICE_##service(CRI_STREAM_BODY_(method, request, response))

class RuntimeServiceAdapter : public v1::RuntimeService::CallbackService {
 public:
  RuntimeServiceAdapter(RuntimeApi& api, ThreadPool& pool) : api_(api), pool_(pool) {}
#define SERVICE_RuntimeService(...) __VA_ARGS__
#define SERVICE_ImageService(...)
#include "cri/grpc/methods.inc"
#undef SERVICE_RuntimeService
#undef SERVICE_ImageService

 private:
  RuntimeApi& api_;
  ThreadPool& pool_;
};

class ImageServiceAdapter : public v1::ImageService::CallbackService {
 public:
  ImageServiceAdapter(RuntimeApi& api, ThreadPool& pool) : api_(api), pool_(pool) {}
#define SERVICE_RuntimeService(...)
#define SERVICE_ImageService(...) __VA_ARGS__
#include "cri/grpc/methods.inc"
#undef SERVICE_RuntimeService
#undef SERVICE_ImageService

 private:
  RuntimeApi& api_;
  ThreadPool& pool_;
};

class GrpcServer : public Server {
 public:
  GrpcServer(RuntimeApi& api, const ServeOptions& options)
      : pool_(options.idle_threads, options.most_calls),
        runtime_(api, pool_),
        image_(api, pool_),
        socket_path_(options.socket_path) {}
  ~GrpcServer() override { Stop(std::chrono::seconds(5)); }

  Result<void> Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix://" + socket_path_, grpc::InsecureServerCredentials());
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.SetMaxSendMessageSize(kMaxMessageBytes);
    builder.RegisterService(&runtime_);
    builder.RegisterService(&image_);
    // The socket appears with the umask's mode: the daemons' (022) lets nobody else connect before it gets its own.
    server_ = builder.BuildAndStart();
    if (!server_) return Fail(Code::kUnavailable, "listen on {}: the socket cannot be made", socket_path_);
    if (::chmod(socket_path_.c_str(), 0660) != 0) return FailErrno(errno, "chmod {}", socket_path_);
    return {};
  }

  void Stop(std::chrono::milliseconds grace) override {
    if (!server_) return;
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    server_->Wait();
    server_.reset();
    ::unlink(socket_path_.c_str());
  }

 private:
  ThreadPool pool_;
  RuntimeServiceAdapter runtime_;
  ImageServiceAdapter image_;
  std::string socket_path_;
  std::unique_ptr<grpc::Server> server_;
};

Result<void> ClearStaleSocket(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) return Fail(Code::kFailedPrecondition, "listen on {}: exists and is not a socket", path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const base::UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (probe.valid() && ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return Fail(Code::kFailedPrecondition, "listen on {}: another server answers there", path);
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FailErrno(errno, "remove stale socket {}", path);
  return {};
}

}  // namespace

Result<std::unique_ptr<Server>> Serve(RuntimeApi& api, const ServeOptions& options) {
  if (options.socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Fail(Code::kInvalidArgument, "listen on {}: a socket path may have {} bytes at most", options.socket_path,
                sizeof(sockaddr_un::sun_path) - 1);
  }
  TRY(ClearStaleSocket(options.socket_path));
  auto server = std::make_unique<GrpcServer>(api, options);
  TRY(server->Start());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace portcullis::cri
