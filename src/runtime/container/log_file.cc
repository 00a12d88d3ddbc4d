#include "runtime/container/log_file.h"

#include "base/clock.h"

namespace portcullis::runtime {
namespace {

// The text up to the next blank, which is taken too; nullopt when there is none.
std::optional<std::string_view> TakeWord(std::string_view& rest) {
  const size_t space = rest.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view word = rest.substr(0, space);
  rest.remove_prefix(space + 1);
  return word;
}

}  // namespace

std::optional<CriLogLine> ParseCriLogLine(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  CriLogLine out;
  const auto time_text = TakeWord(line);
  const auto stream = TakeWord(line);
  if (!time_text || !stream) return std::nullopt;
  const std::optional<int64_t> time = base::ParseRfc3339(*time_text);
  if (!time) return std::nullopt;
  out.time_unix_nanos = *time;
  if (*stream == "stderr") {
    out.stream = LogStream::kStderr;
  } else if (*stream != "stdout") {
    return std::nullopt;
  }
  // An empty line ends with the tags: some writers leave the blank behind them out.
  const std::optional<std::string_view> with_content = TakeWord(line);
  const std::string_view tags = with_content.value_or(line);
  if (!with_content) line = {};
  const std::string_view first_tag = tags.substr(0, tags.find(':'));
  if (first_tag != "F" && first_tag != "P") return std::nullopt;
  out.partial = first_tag == "P";
  out.content = line;
  return out;
}

}  // namespace portcullis::runtime
