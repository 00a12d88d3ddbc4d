#include "insight/evidence/strace_lines.h"

#include <utility>

#include "base/strings.h"

namespace portcullis::insight {

void StraceLines::BeginFile() {
  prefix_.clear();
  broken_.clear();
}

void StraceLines::Feed(std::string_view piece) {
  cutter_.Feed(
      piece, [this](std::string_view line) { Take(line); },
      [this] {
        ++lines_;
        ++damaged_;
      });
}

void StraceLines::EndFile() {
  // strace ends every line; a rest means that the file was cut off.
  if (cutter_.Finish([this](std::string_view line) { Take(line); })) ++damaged_;
  if (!prefix_.empty() || !broken_.empty()) ++damaged_;
  prefix_.clear();
  broken_.clear();
}

void StraceLines::Take(std::string_view text) {
  ++lines_;
  if (text.ends_with(" attached")) {
    constexpr std::string_view kMessage = "strace: Process ";
    const size_t at = text.rfind(kMessage);
    if (at != std::string_view::npos) {
      std::string_view pid = text.substr(at + kMessage.size());
      pid = pid.substr(0, pid.find(' '));
      if (const auto number = base::ParseUint(pid); number && *number <= UINT32_MAX) {
        sink_.attached(static_cast<uint32_t>(*number));
      }
      if (prefix_.size() + at <= kMaxLineBytes) prefix_ += text.substr(0, at);
      return;
    }
  }
  std::string joined;
  if (!prefix_.empty()) {
    joined = std::exchange(prefix_, "");
    joined += text;
    text = joined;
  }
  if (!broken_.empty()) {
    std::string whole = std::exchange(broken_, "");
    // The end of a write to the same terminal that the program's own text broke.
    if (text.starts_with(')') && whole.size() + text.size() <= kMaxLineBytes) {
      whole += text;
      return sink_.line(ParseStraceLine(whole), whole);
    }
    ++damaged_;
  }
  sink_.line(ParseStraceLine(text), text);
}

}  // namespace portcullis::insight
