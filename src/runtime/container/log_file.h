// Container logs in the CRI format, one line each: `<RFC 3339 time> <stdout|stderr> <F|P>[:tags] <content>`.
//
//   2026-11-23T20:02:42.945459455+00:00 stdout F hello
//
// P marks a piece of a line that goes on in the next entry of the same stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace portcullis::runtime {

enum class LogStream { kStdout, kStderr };

struct CriLogLine {
  int64_t time_unix_nanos = 0;
  LogStream stream = LogStream::kStdout;
  bool partial = false;
  std::string_view content;  // into the line given; without newline
};

// `line` with or without its final newline; nullopt for anything that is not in the format.
std::optional<CriLogLine> ParseCriLogLine(std::string_view line);

}  // namespace portcullis::runtime
