// SPDY frames and header blocks, as a server and as a client reads them: however the bytes are cut, the same comes out.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "http/stream/recorder.h"
#include "http/stream/spdy_streams.h"

namespace {

using namespace portcullis;

struct Outcome {
  http::Lines told;
  std::string answer;
  std::string problem;
  bool operator==(const Outcome&) const = default;
};

Outcome Read(http::Side side, std::string_view bytes, size_t piece) {
  http::SpdyStreams streams(side);
  if (side == http::Side::kClient) {
    streams.Open({{"streamtype", "error"}});
    streams.Open({{"streamtype", "data"}, {"port", "80"}});
  }
  http::Recorder events;
  Outcome outcome;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    if (auto taken = streams.Receive(bytes.substr(0, piece), events); !taken) {
      outcome.problem = taken.error().message;
      break;
    }
  }
  outcome.told = events.lines;
  outcome.answer = streams.output();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto side : {http::Side::kServer, http::Side::kClient}) {
    const Outcome whole = Read(side, bytes, std::max<size_t>(size, 1));
    for (const size_t piece : {1u, 7u}) {
      if (Read(side, bytes, piece) != whole) std::abort();
    }
  }
  return 0;
}
