// Cuts text that comes in pieces of any size into lines of a bounded length.
//
//   LineCutter cutter(64u << 10);
//   cutter.Feed(piece, [](std::string_view line) { … }, [] { /* a line was longer than that */ });
//   cutter.Finish([](std::string_view line) { /* the last line, without a newline */ });
//
// Lines within one piece are not copied.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

namespace portcullis::insight {

class LineCutter {
 public:
  explicit LineCutter(size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  template <class Take, class TooLong>
  void Feed(std::string_view piece, const Take& take, const TooLong& too_long) {
    while (!piece.empty()) {
      const auto* end = static_cast<const char*>(std::memchr(piece.data(), '\n', piece.size()));
      const std::string_view part = end == nullptr ? piece : piece.substr(0, static_cast<size_t>(end - piece.data()));
      piece.remove_prefix(end == nullptr ? piece.size() : part.size() + 1);
      if (skipping_) {
        skipping_ = end == nullptr;
      } else if (begun_.size() + part.size() > max_line_bytes_) {
        begun_.clear();
        skipping_ = end == nullptr;
        too_long();
      } else if (end == nullptr) {
        begun_ += part;
      } else if (begun_.empty()) {
        take(part);
      } else {
        begun_ += part;
        take(std::string_view(begun_));
        begun_.clear();
      }
    }
  }

  // True when there was a rest.
  template <class Take>
  bool Finish(const Take& take) {
    const bool rest = !begun_.empty();
    if (rest) take(std::string_view(begun_));
    begun_.clear();
    skipping_ = false;
    return rest;
  }

 private:
  size_t max_line_bytes_;
  std::string begun_;      // a line whose end has not come yet
  bool skipping_ = false;  // the rest of a line over the limit
};

}  // namespace portcullis::insight
