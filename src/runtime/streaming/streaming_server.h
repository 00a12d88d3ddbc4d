// The HTTP server behind the URLs of Exec, Attach and PortForward.
//
//   ASSIGN_OR_RETURN(auto streaming, StreamingServer::Start({}));
//   ASSIGN_OR_RETURN(std::string url, streaming->AddExec({.output = true, .start = ...}));   //
//   http://127.0.0.1:N/exec/TOKEN
//
// There is no authentication but that of TLS with client certificates: whoever has the URL may use it, once, within a
// minute. So it listens on loopback unless told otherwise.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "http/tls/tls_context.h"
#include "runtime/streaming/session.h"

namespace portcullis::runtime {

struct StreamingOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;         // 0: any free one
  http::TlsServerFiles tls;  // no certificate: plain HTTP
  SessionLimits limits;
};

class StreamingServer {
 public:
  static Result<std::unique_ptr<StreamingServer>> Start(StreamingOptions options);
  ~StreamingServer();  // ends all sessions: commands are killed

  // The URL; kResourceExhausted when too many are waiting to be used.
  Result<std::string> AddExec(StdioRequest request);
  Result<std::string> AddAttach(StdioRequest request);
  Result<std::string> AddPortForward(ForwardRequest request);

 private:
  struct State;
  explicit StreamingServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::runtime
