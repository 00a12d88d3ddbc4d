#include "cri/grpc/client.h"

#include <grpcpp/grpcpp.h>

#include "cri/grpc/api.grpc.pb.h"
#include "cri/grpc/convert.h"
#include "cri/grpc/deadline.h"

namespace portcullis::cri {
namespace {

namespace v1 = runtime::v1;

constexpr int kMaxMessageBytes = 16 << 20;

Error ToError(const grpc::Status& status) {
  return Error{static_cast<Code>(status.error_code()), status.error_message(), 0};
}

class GrpcClient : public RuntimeApi {
 public:
  GrpcClient(std::shared_ptr<grpc::Channel> runtime, std::shared_ptr<grpc::Channel> image,
             std::chrono::milliseconds timeout)
      : RuntimeService_(v1::RuntimeService::NewStub(runtime)),
        ImageService_(v1::ImageService::NewStub(image)),
        timeout_(timeout) {}

#define CRI_METHOD(service, method, request_type, response_type)                              \
  Result<response_type> method(const request_type& request) override {                        \
    v1::request_type proto_request;                                                           \
    ToProto(request, proto_request);                                                          \
    v1::response_type proto_response;                                                         \
    grpc::ClientContext context;                                                              \
    if (const auto time = CallTime(request, timeout_)) {                                      \
      context.set_deadline(std::chrono::system_clock::now() + *time);                         \
    }                                                                                         \
    const grpc::Status status = service##_->method(&context, proto_request, &proto_response); \
    if (!status.ok()) return Failure(ToError(status));                                        \
    response_type response;                                                                   \
    FromProto(proto_response, response);                                                      \
    return response;                                                                          \
  }
#define CRI_METHOD_STREAM(service, method, request_type, response_type)                          \
  Result<void> method(const request_type& request, const Sink<response_type>& sink) override {   \
    v1::request_type proto_request;                                                              \
    ToProto(request, proto_request);                                                             \
    grpc::ClientContext context;                                                                 \
    const auto reader = service##_->method(&context, proto_request);                             \
    v1::response_type proto_response;                                                            \
    while (reader->Read(&proto_response)) {                                                      \
      response_type response;                                                                    \
      FromProto(proto_response, response);                                                       \
      if (!sink(response)) context.TryCancel();                                                  \
    }                                                                                            \
    const grpc::Status status = reader->Finish();                                                \
    if (!status.ok() && status.error_code() != grpc::CANCELLED) return Failure(ToError(status)); \
    return {};                                                                                   \
  }
#include "cri/grpc/methods.inc"
#undef CRI_METHOD
#undef CRI_METHOD_STREAM

 private:
  std::unique_ptr<v1::RuntimeService::Stub> RuntimeService_;
  std::unique_ptr<v1::ImageService::Stub> ImageService_;
  std::chrono::milliseconds timeout_;
};

Result<std::shared_ptr<grpc::Channel>> Open(const std::string& endpoint, std::chrono::milliseconds timeout) {
  std::string address = endpoint;
  if (address.starts_with('/')) address = "unix://" + address;
  if (!address.starts_with("unix:")) {
    return Fail(Code::kInvalidArgument, "endpoint {}: expected unix:///path/to/socket", endpoint);
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");  // a path is no valid authority for Go servers
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + timeout)) {
    return Fail(Code::kUnavailable, "connect to {}: no CRI runtime answers there", endpoint);
  }
  return channel;
}

}  // namespace

Result<std::unique_ptr<RuntimeApi>> Connect(const ConnectOptions& options) {
  auto runtime = Open(options.endpoint, options.connect_timeout);
  if (!runtime) return Failure(runtime.error());
  auto image = runtime;
  if (!options.image_endpoint.empty() && options.image_endpoint != options.endpoint) {
    image = Open(options.image_endpoint, options.connect_timeout);
    if (!image) return Failure(image.error());
  }
  return std::unique_ptr<RuntimeApi>(new GrpcClient(*runtime, *image, options.timeout));
}

}  // namespace portcullis::cri
