// From an HTTP request to the protocol of a streaming session, or the refusal, as Kubernetes' servers have them
// (k8s.io/cri-streaming, k8s.io/streaming httpstream and wsstream). Pure.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "http/server.h"

namespace portcullis::runtime {

enum class StreamingKind { kExec, kAttach, kPortForward };

enum class Transport {
  kSpdy,      // SPDY/3.1
  kChannels,  // Kubernetes' channels over WebSocket
  kTunnel,    // SPDY/3.1 inside WebSocket
};

struct Agreed {
  Transport transport = Transport::kSpdy;
  std::string protocol;  // "v4.channel.k8s.io", "portforward.k8s.io"; "" with channels and a client that names none
  http::HeaderLines headers = {};  // of the 101
};

std::variant<http::Response, Agreed> Negotiate(const http::Request& request, StreamingKind kind);

// The ports of a port-forward over channels: those of the CRI request, or else, as the kubelet's own server has it, of
// the URL's query ("port=80&port=81,82"). An error text is the answer to the client.
inline constexpr size_t kMaxChannelPorts = 127;  // two channels each, and 255 is none
Result<std::vector<uint16_t>> ChannelPorts(const std::vector<uint16_t>& requested, std::string_view query);

// Since v4 the error stream carries JSON.
bool HasJsonStatus(const std::string& protocol);

}  // namespace portcullis::runtime
