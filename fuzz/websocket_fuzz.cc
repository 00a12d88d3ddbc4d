// WebSocket frames and what Kubernetes puts into them: channels of each form, and SPDY inside. The first byte chooses
// which of them, and the side. However the bytes are cut, the same comes out, or an error does; what was told before an
// error depends on where the bytes were cut.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/stream/recorder.h"
#include "http/stream/spdy_streams.h"
#include "http/stream/websocket_channels.h"
#include "http/stream/websocket_handshake.h"
#include "http/stream/websocket_tunnel.h"

namespace {

using namespace portcullis;

constexpr const char* kProtocols[] = {"v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"};

std::unique_ptr<http::Streams> Make(uint8_t choice) {
  const auto side = (choice & 4) == 0 ? http::Side::kServer : http::Side::kClient;
  if ((choice & 3) == 3) {
    return std::make_unique<http::WebSocketTunnel>(side, std::make_unique<http::SpdyStreams>(side));
  }
  std::vector<http::Channel> channels;
  for (const char* type : {"stdin", "stdout", "stderr", "error", "resize"}) {
    channels.push_back({.headers = {{"streamtype", type}}, .receives = true, .sends = true});
  }
  return std::make_unique<http::WebSocketChannels>(side, http::ChannelProtocolOf(kProtocols[choice & 3]), channels);
}

struct Outcome {
  http::Lines told;
  std::string answer;
  std::string problem;
  bool operator==(const Outcome&) const = default;
};

Outcome Read(uint8_t choice, std::string_view bytes, size_t piece) {
  const auto streams = Make(choice);
  http::Recorder events;
  Outcome outcome;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    if (auto taken = streams->Receive(bytes.substr(0, piece), events); !taken) {
      outcome.problem = taken.error().message;
      break;
    }
  }
  outcome.told = events.lines;
  if ((choice & 4) == 0) outcome.answer = streams->output();  // a client's is masked by chance
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = Read(data[0], bytes, std::max<size_t>(bytes.size(), 1));
  for (const size_t piece : {1u, 7u}) {
    const Outcome cut = Read(data[0], bytes, piece);
    // wslay looks at the UTF-8 of a close frame's reason only where it comes in one piece.
    if (whole.problem.find("close status 1007") != std::string::npos) continue;
    if (cut.problem.empty() != whole.problem.empty()) std::abort();
    if (cut.problem.empty() && cut != whole) std::abort();
  }
  if (http::IsWebSocketKey(bytes) && bytes.size() > 32) std::abort();
  return 0;
}
