// From an HTTP request to the protocol of a streaming session, or the refusal (k8s.io/cri-streaming's texts). Pure.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "http/server.h"

namespace portcullis::runtime {

enum class StreamingKind { kExec, kAttach, kPortForward };

struct Agreed {
  std::string protocol;            // "v4.channel.k8s.io", "portforward.k8s.io"
  http::HeaderLines headers = {};  // of the 101
};

std::variant<http::Response, Agreed> Negotiate(const http::Request& request, StreamingKind kind);

// Since v4 the error stream carries JSON.
bool HasJsonStatus(const std::string& protocol);

}  // namespace portcullis::runtime
