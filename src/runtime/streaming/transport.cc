#include "runtime/streaming/transport.h"

#include "http/stream/spdy_streams.h"
#include "http/stream/websocket_tunnel.h"

namespace portcullis::runtime {

std::vector<http::Channel> StdioChannels(const StdioRequest& request) {
  std::vector<http::Channel> channels = {
      {.headers = {{"streamtype", "stdin"}}, .receives = request.input},
      {.headers = {{"streamtype", "stdout"}}, .sends = request.output},
      {.headers = {{"streamtype", "stderr"}}, .sends = request.error},
      {.headers = {{"streamtype", "error"}}, .sends = true},
      {.headers = {{"streamtype", "resize"}}, .receives = request.tty},
  };
  std::find_if(channels.begin(), channels.end(), [](const http::Channel& channel) { return channel.sends; })->greeting =
      "";
  return channels;
}

std::vector<http::Channel> ForwardChannels(const ForwardRequest& request) {
  std::vector<http::Channel> channels;
  for (const uint16_t port : request.ports) {
    const std::string greeting = {static_cast<char>(port & 0xff), static_cast<char>(port >> 8)};
    const std::string pair = std::to_string(channels.size() / 2);
    for (const bool is_data : {true, false}) {
      channels.push_back(
          {.headers = {{"streamtype", is_data ? "data" : "error"}, {"port", std::to_string(port)}, {"requestid", pair}},
           .receives = is_data,
           .sends = true,
           .greeting = greeting});
    }
  }
  return channels;
}

std::unique_ptr<http::Streams> MakeStreams(const Agreed& agreed, std::vector<http::Channel> channels) {
  if (agreed.transport == Transport::kChannels) {
    return std::make_unique<http::WebSocketChannels>(http::Side::kServer, http::ChannelProtocolOf(agreed.protocol),
                                                     std::move(channels));
  }
  auto spdy = std::make_unique<http::SpdyStreams>(http::Side::kServer);
  if (agreed.transport == Transport::kSpdy) return spdy;
  return std::make_unique<http::WebSocketTunnel>(http::Side::kServer, std::move(spdy));
}

}  // namespace portcullis::runtime
