// The streams that a session runs over, from what was agreed with the client. Pure.
#pragma once

#include <memory>

#include "http/stream/streams.h"
#include "http/stream/websocket_channels.h"
#include "runtime/streaming/handshake.h"
#include "runtime/streaming/session.h"

namespace portcullis::runtime {

// Channel 0 is stdin, 1 stdout, 2 stderr, 3 error, 4 resize; those that were not asked for are there and ignored. The
// first that the server writes to begins with an empty message: the client may begin (k8s.io/cri-streaming,
// remotecommand/websocket.go).
std::vector<http::Channel> StdioChannels(const StdioRequest& request);

// Channel 2n is the data of the n-th port, 2n+1 its errors; each begins with the port, two bytes, the lower first
// (portforward/websocket.go).
std::vector<http::Channel> ForwardChannels(const ForwardRequest& request);

std::unique_ptr<http::Streams> MakeStreams(const Agreed& agreed, std::vector<http::Channel> channels);

}  // namespace portcullis::runtime
