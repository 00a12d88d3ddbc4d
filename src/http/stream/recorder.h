// For tests: what a Streams tells, one line each.
#pragma once

#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

#include "http/stream/streams.h"

namespace portcullis::http {

using Lines = std::vector<std::string>;

class Recorder : public StreamEvents {
 public:
  void OnOpen(StreamId id, const StreamHeaders& headers) override {
    std::string line = fmt::format("open {}", id);
    for (const auto& [name, value] : headers) line += fmt::format(" {}={}", name, value);
    lines.push_back(line);
  }
  void OnData(StreamId id, std::string_view data) override {
    if (!lines.empty() && lines.back().starts_with(fmt::format("data {} ", id))) {
      lines.back() += data;
    } else {
      lines.push_back(fmt::format("data {} {}", id, data));
    }
  }
  void OnEnd(StreamId id) override { lines.push_back(fmt::format("end {}", id)); }
  void OnReset(StreamId id) override { lines.push_back(fmt::format("reset {}", id)); }
  void OnClose() override { lines.emplace_back("close"); }

  Lines Told() { return std::exchange(lines, {}); }

  Lines lines;
};

inline std::string Take(Streams& streams) { return std::exchange(streams.output(), {}); }

inline std::string Hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

}  // namespace portcullis::http
