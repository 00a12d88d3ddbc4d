// Whole lines out of a trace's text, which comes in pieces of any size, and which other output breaks where strace and
// its program write to one terminal:
//
//   clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLDstrace: Process 1785 attached
//   , child_tidptr=0xf7f535e8) = 1785
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "insight/evidence/line_cutter.h"
#include "insight/evidence/strace_line.h"

namespace portcullis::insight {

class StraceLines {
 public:
  // Longer than strace makes a line with the longest strings that people ask for (-s).
  static constexpr size_t kMaxLineBytes = 1u << 20;

  struct Sink {
    std::function<void(const StraceLine& line, std::string_view text)> line;  // views that hold until it returns
    std::function<void(uint32_t pid)> attached;  // "strace: Process 7 attached", also within a line
  };
  explicit StraceLines(Sink sink) : sink_(std::move(sink)) {}

  void BeginFile();
  void Feed(std::string_view piece);
  void EndFile();

  // For the sink, of a line of StraceKind::kBroken: its end may be the next line.
  void Keep(std::string_view broken) { broken_ = broken; }

  uint64_t lines() const { return lines_; }
  uint64_t damaged() const { return damaged_; }

 private:
  void Take(std::string_view text);

  Sink sink_;
  LineCutter cutter_{kMaxLineBytes};
  std::string prefix_;  // of a line that a message of strace has broken
  std::string broken_;  // a line that the program's own output has broken
  uint64_t lines_ = 0;
  uint64_t damaged_ = 0;
};

}  // namespace portcullis::insight
