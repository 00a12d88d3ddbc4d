#include "runtime/container/runtime_message.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::runtime {
namespace {

constexpr size_t kMaxMessage = 2000;

// The value of ` key=` in a logrus line: bare, or quoted in Go's way.
std::optional<std::string> LogField(std::string_view line, std::string_view key) {
  const std::string wanted = std::string(key) + "=";
  size_t at = line.starts_with(wanted) ? 0 : line.find(" " + wanted);
  if (at == std::string_view::npos) return std::nullopt;
  at = line.find('=', at) + 1;
  if (at >= line.size() || line[at] != '"') return std::string(line.substr(at, line.find(' ', at) - at));
  std::string out;
  for (size_t i = at + 1; i < line.size() && line[i] != '"'; ++i) {
    if (line[i] != '\\' || i + 1 == line.size()) {
      out += line[i];
      continue;
    }
    const char escaped = line[++i];
    out += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
  }
  return out;
}

// crun puts the time in front: "2026-11-23T20:02:42.000000Z: message".
std::string_view WithoutTime(std::string_view line) {
  const size_t end = line.find("Z: ");
  if (end == std::string_view::npos || end > 40 || line.find('T') != 10 ||
      line.find_first_not_of("0123456789-T:.") != end)
    return line;
  return line.substr(end + 3);
}

std::string_view WithoutVerb(std::string_view message) {
  for (const std::string_view verb :
       {"runc create failed: ", "runc exec failed: ", "runc start failed: ", "runc run failed: ", "exec failed: ",
        "unable to start container process: ", "error during container init: ", "error: "}) {
    if (message.starts_with(verb)) message.remove_prefix(verb.size());
  }
  return message;
}

// Length of the UTF-8 sequence that `text` begins with; 0 when it is none (Unicode 15, table 3-7).
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto within = [](unsigned value, unsigned low, unsigned high) { return value >= low && value <= high; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = within(first, 0xC2, 0xDF)   ? 2
                        : within(first, 0xE0, 0xEF) ? 3
                        : within(first, 0xF0, 0xF4) ? 4
                                                    : 0;
  // Too long a form, a surrogate, or beyond U+10FFFF: the second byte tells.
  const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (length == 0 || !within(byte(1), low, high)) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (!within(byte(i), 0x80, 0xBF)) return 0;
  }
  return length;
}

// One line of UTF-8, as a protobuf string must be: control characters become blanks, other bytes U+FFFD; what goes
// over the limit is cut between two characters.
std::string ToOneLine(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    const std::string_view character = length > 0 ? text.substr(0, length) : std::string_view("\xEF\xBF\xBD");
    if (out.size() + character.size() > kMaxMessage) return out + "...";
    if (static_cast<unsigned char>(character[0]) < 0x20) {
      out += ' ';
    } else {
      out += character;
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

}  // namespace

std::string CleanRuntimeMessage(std::string_view text) {
  std::vector<std::string> errors;
  std::vector<std::string> others;
  for (const std::string& line : base::Split(text, '\n')) {
    const std::string_view trimmed = base::Trim(line);
    if (trimmed.empty()) continue;
    const std::optional<std::string> level = LogField(trimmed, "level");
    const std::optional<std::string> message = LogField(trimmed, "msg");
    if (!level || !message) {
      others.emplace_back(WithoutVerb(WithoutTime(trimmed)));
    } else if (*level == "error" || *level == "fatal" || *level == "panic") {
      errors.emplace_back(WithoutVerb(base::Trim(*message)));
    } else {
      others.emplace_back(base::Trim(*message));
    }
  }
  const std::string out = ToOneLine(base::Join(errors.empty() ? others : errors, "; "));
  return out.empty() ? "no reason given" : out;
}

Result<SyncMessage> ParseSyncMessage(std::string_view line) {
  ASSIGN_OR_RETURN(const nlohmann::json json, base::ParseJson(line, "conmon's sync message"));
  SyncMessage out;
  const auto number = [&](const char* key) -> std::optional<int64_t> {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<int64_t>();
  };
  if (!json.is_object()) return Fail(Code::kDataLoss, "conmon's sync message {} is no object", base::Quote(line));
  out.pid = number("pid");
  out.exit_code = number("exit_code");
  if (const auto found = json.find("message"); found != json.end() && found->is_string())
    out.message = found->get<std::string>();
  if (!out.pid && !out.exit_code)
    return Fail(Code::kDataLoss, "conmon's sync message {} says nothing", base::Quote(line));
  return out;
}

}  // namespace portcullis::runtime
