#include "cri/grpc/server.h"

#include <grpcpp/grpcpp.h>

#include "base/try.h"
#include "cri/grpc/api.grpc.pb.h"
#include "cri/grpc/call_kinds.h"
#include "cri/grpc/calls.h"
#include "cri/grpc/convert.h"
#include "cri/grpc/socket_place.h"
#include "cri/grpc/thread_pool.h"

namespace portcullis::cri {
namespace {

namespace v1 = runtime::v1;

using std::chrono::milliseconds;

constexpr int kMaxMessageBytes = 16 << 20;
constexpr mode_t kSocketMode = 0660;

constexpr size_t kShortThreads = 16;
constexpr size_t kShortWaiting = 1024;
constexpr size_t kLookingThreads = 16;
constexpr size_t kStreams = 256;
// For the threads of calls that were cancelled, or have just ended, to leave the api.
constexpr milliseconds kLastMoment{500};

// Calls of one kind never wait for those of another.
struct Threads {
  explicit Threads(const ServeOptions& options)
      : short_calls({.threads = kShortThreads, .waiting = kShortWaiting}),
        long_calls({.threads = options.most_long_calls}),
        looking_calls({.threads = kLookingThreads, .waiting = kShortWaiting}),
        streams({.threads = kStreams}) {}

  ThreadPool& For(std::string_view method) {
    switch (KindOf(method)) {
      case CallKind::kLong:
        return long_calls;
      case CallKind::kLooking:
        return looking_calls;
      case CallKind::kShort:
        break;
    }
    return short_calls;
  }
  bool WaitIdle(std::chrono::steady_clock::time_point deadline) {
    return short_calls.WaitIdle(deadline) && long_calls.WaitIdle(deadline) && looking_calls.WaitIdle(deadline) &&
           streams.WaitIdle(deadline);
  }

  ThreadPool short_calls;
  ThreadPool long_calls;
  ThreadPool looking_calls;
  ThreadPool streams;  // a stream may last as long as its client
};

grpc::Status Busy() {
  return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many calls of this kind at once");
}

// `work` owns its request; the response is gRPC's and touched only by who has claimed the call.
template <class ProtoResponse, class Work>
grpc::ServerUnaryReactor* RunUnary(ThreadPool& pool, ProtoResponse* response, Work work) {
  const auto call = UnaryCall::Make<UnaryCall>();
  const bool taken = pool.Run([call, response, work = std::move(work)] {
    if (call->ended()) return;
    const auto result = work();
    if (!call->Claim()) return;
    if (result) ToProto(*result, *response);
    call->Finish(result ? grpc::Status::OK : ToStatus(result.error()));
  });
  if (!taken && call->Claim()) call->Finish(Busy());
  return call.get();
}

template <class ProtoResponse, class Work>
grpc::ServerWriteReactor<ProtoResponse>* RunStream(ThreadPool& pool, Work work) {
  using Call = StreamCall<ProtoResponse>;
  const auto call = Call::template Make<Call>();
  const bool taken = pool.Run([call, work = std::move(work)] {
    const Result<void> result = work(*call);
    call->End(result ? grpc::Status::OK : ToStatus(result.error()));
  });
  if (!taken) call->End(Busy());
  return call.get();
}

#define CRI_METHOD_BODY_(method, request_type, response_type)                                             \
  grpc::ServerUnaryReactor* method(grpc::CallbackServerContext*, const v1::request_type* request,         \
                                   v1::response_type* response) override {                                \
    request_type plain;                                                                                   \
    FromProto(*request, plain);                                                                           \
    return RunUnary(threads_.For(#method), response, [&api = api_, plain] { return api.method(plain); }); \
  }
#define CRI_STREAM_BODY_(method, request_type, response_type)                                                        \
  grpc::ServerWriteReactor<v1::response_type>* method(grpc::CallbackServerContext*, const v1::request_type* request) \
      override {                                                                                                     \
    request_type plain;                                                                                              \
    FromProto(*request, plain);                                                                                      \
    return RunStream<v1::response_type>(threads_.streams, [&api = api_, plain](auto& call) {                         \
      return api.method(plain, [&call](const response_type& message) {                                               \
        v1::response_type out;                                                                                       \
        ToProto(message, out);                                                                                       \
        return call.Write(std::move(out));                                                                           \
      });                                                                                                            \
    });                                                                                                              \
  }

// The method table holds both services; each class takes its own lines through the macro SERVICE_<name>.
#define CRI_METHOD(service, method, request, response) SERVICE_##service(CRI_METHOD_BODY_(method, request, response))
#define CRI_METHOD_STREAM(service, method, request, response) \
  SERVICE_##service(CRI_STREAM_BODY_(method, request, response))

class RuntimeServiceAdapter : public v1::RuntimeService::CallbackService {
 public:
  RuntimeServiceAdapter(RuntimeApi& api, Threads& threads) : api_(api), threads_(threads) {}
#define SERVICE_RuntimeService(...) __VA_ARGS__
#define SERVICE_ImageService(...)
#include "cri/grpc/methods.inc"
#undef SERVICE_RuntimeService
#undef SERVICE_ImageService

 private:
  RuntimeApi& api_;
  Threads& threads_;
};

class ImageServiceAdapter : public v1::ImageService::CallbackService {
 public:
  ImageServiceAdapter(RuntimeApi& api, Threads& threads) : api_(api), threads_(threads) {}
#define SERVICE_RuntimeService(...)
#define SERVICE_ImageService(...) __VA_ARGS__
#include "cri/grpc/methods.inc"
#undef SERVICE_RuntimeService
#undef SERVICE_ImageService

 private:
  RuntimeApi& api_;
  Threads& threads_;
};

class GrpcServer : public Server {
 public:
  GrpcServer(RuntimeApi& api, const ServeOptions& options, std::unique_ptr<SocketPlace> place)
      : threads_(options), runtime_(api, threads_), image_(api, threads_), place_(std::move(place)) {}
  ~GrpcServer() override { StopListening(kDefaultGrace); }

  Result<void> Start(const std::string& socket_path) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(place_->address(), grpc::InsecureServerCredentials());
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.SetMaxSendMessageSize(kMaxMessageBytes);
    builder.RegisterService(&runtime_);
    builder.RegisterService(&image_);
    server_ = builder.BuildAndStart();
    if (!server_) return Fail(Code::kUnavailable, "listen on {}: the socket cannot be made", socket_path);
    return place_->Publish(kSocketMode);
  }

  bool Stop(milliseconds grace) override {
    StopListening(grace);
    return threads_.WaitIdle(std::chrono::steady_clock::now() + kLastMoment);
  }

 private:
  // Ends every call towards its client, in `grace` at most; threads may work on.
  void StopListening(milliseconds grace) {
    if (!server_) return;
    place_->Remove();
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    server_->Wait();
    server_.reset();
  }

  Threads threads_;  // destroyed last: waits for those that work on
  RuntimeServiceAdapter runtime_;
  ImageServiceAdapter image_;
  std::unique_ptr<SocketPlace> place_;  // outlives server_, which removes what it listened on by this address
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

Result<std::unique_ptr<Server>> Serve(RuntimeApi& api, const ServeOptions& options) {
  ASSIGN_OR_RETURN(auto place, SocketPlace::Prepare(options.socket_path));
  auto server = std::make_unique<GrpcServer>(api, options, std::move(place));
  TRY(server->Start(options.socket_path));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace portcullis::cri
