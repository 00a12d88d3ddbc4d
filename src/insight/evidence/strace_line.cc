#include "insight/evidence/strace_line.h"

#include <algorithm>

#include "base/strings.h"

namespace portcullis::insight {
namespace {

constexpr std::string_view kUnfinished = "<unfinished ...>";
constexpr std::string_view kUnfinishedEnd = "<unfinished ...>)";
constexpr std::string_view kDetached = "<detached ...>";
// Linux' largest pid_max: a greater number in front of a line is a time.
constexpr uint64_t kMaxPid = 1u << 22;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWord(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::string_view TakeDigits(std::string_view& text) {
  size_t size = 0;
  while (size < text.size() && IsDigit(text[size])) ++size;
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

void SkipBlanks(std::string_view& text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
}

// Where a decoration that begins at text[at] == '<' ends, after its '>'; npos when it does not. Decorations nest
// (</dev/null<char 1:3>>), and hold "->" between the ends of a connection.
size_t EndOfDecoration(std::string_view text, size_t at) {
  size_t depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '<') ++depth;
    if (text[at] == '>' && text[at - 1] != '-' && --depth == 0) return at + 1;
  }
  return std::string_view::npos;
}

// 1795594934.579702 -> nanoseconds. The digits before the point have been taken off.
std::optional<int64_t> NanosOf(std::string_view seconds, std::string_view fraction) {
  const auto whole = base::ParseUint(seconds);
  if (!whole || *whole > uint64_t{1} << 33 || fraction.size() > 9) return std::nullopt;
  uint64_t nanos = 0;
  for (size_t i = 0; i < 9; ++i) {
    nanos = nanos * 10 + (i < fraction.size() ? static_cast<uint64_t>(fraction[i] - '0') : 0);
  }
  return static_cast<int64_t>(*whole * 1000000000U + nanos);
}

// "[pid  1781] ", "1751  ", "[pid 7<comm>] ": who.
void TakePid(std::string_view& text, StraceLine& line) {
  std::string_view rest = text;
  const bool bracketed = rest.starts_with("[pid ");
  if (bracketed) {
    rest.remove_prefix(5);
    SkipBlanks(rest);
  }
  const auto pid = base::ParseUint(TakeDigits(rest));
  if (!pid || *pid == 0 || *pid > kMaxPid) return;
  std::string_view comm;
  if (rest.starts_with('<')) {
    const size_t end = EndOfDecoration(rest, 0);
    if (end == std::string_view::npos) return;
    comm = rest.substr(1, end - 2);
    rest.remove_prefix(end);
  }
  if (bracketed) {
    if (!rest.starts_with(']')) return;
    rest.remove_prefix(1);
  }
  if (!rest.starts_with(' ')) return;
  SkipBlanks(rest);
  line.pid = static_cast<uint32_t>(*pid);
  line.comm = comm;
  text = rest;
}

// -t, -tt, -ttt and -r, in any precision; and -r beside one of them.
void TakeTime(std::string_view& text, StraceLine& line) {
  std::string_view rest = text;
  SkipBlanks(rest);
  const std::string_view first = TakeDigits(rest);
  if (!first.empty() && rest.starts_with(':')) {
    rest.remove_prefix(1);
    const std::string_view minutes = TakeDigits(rest);
    if (!rest.starts_with(':')) return;
    rest.remove_prefix(1);
    const std::string_view seconds = TakeDigits(rest);
    if (first.size() != 2 || minutes.size() != 2 || seconds.size() != 2) return;
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      TakeDigits(rest);
    }
  } else if (!first.empty()) {
    std::string_view fraction;
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      fraction = TakeDigits(rest);
    }
    const auto nanos = NanosOf(first, fraction);
    if (!nanos || (fraction.empty() && first.size() < 9)) return;
    // Smaller numbers are differences (-r).
    if (first.size() >= 9) line.time_unix_nanos = *nanos;
  } else {
    return;
  }
  if (!rest.starts_with(' ')) return;
  SkipBlanks(rest);
  if (rest.starts_with("(+")) {
    const size_t end = rest.find(')');
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end + 1);
    SkipBlanks(rest);
  }
  text = rest;
}

// "[  41] " of -n and "[00007f3a9b3d2dc7] " of -i, the latter as wide as an address.
void TakeBrackets(std::string_view& text, StraceLine& line) {
  while (text.starts_with('[')) {
    const size_t end = text.find("] ");
    if (end == std::string_view::npos) return;
    const std::string_view inside = text.substr(1, end - 1);
    const bool unknown = !inside.empty() && inside.find_first_not_of('?') == std::string_view::npos;
    if (unknown || inside.size() == 8 || inside.size() == 16) {
      const auto address = base::ParseHex(inside);
      if (!address && !unknown) return;
      line.address = address.value_or(0);
    } else {
      const auto number = base::ParseUint(base::Trim(inside));
      if (!number || *number > UINT32_MAX) return;
      line.number = static_cast<uint32_t>(*number);
    }
    text.remove_prefix(end + 2);
  }
}

// The value of `key=` in a signal's text, without a comment: up to ',' or '}'.
std::string_view FieldOf(std::string_view text, std::string_view key) {
  const size_t at = text.find(key);
  if (at == std::string_view::npos) return "";
  std::string_view value = text.substr(at + key.size());
  value = value.substr(0, value.find_first_of(",}"));
  return base::Trim(value.substr(0, value.find("/*")));
}

void ParseSignal(std::string_view text, StraceLine& line) {
  line.kind = StraceKind::kSignal;
  if (!text.starts_with("--- SIGSYS {")) return;
  // SYS_SECCOMP is 1, SYS_USER_DISPATCH 2.
  const std::string_view code = FieldOf(text, "si_code=");
  if (code != "SYS_SECCOMP" && code != "0x1" && code != "1") return;
  line.kind = StraceKind::kSigsys;
  line.sigsys_syscall = FieldOf(text, "si_syscall=");
  line.sigsys_arch = FieldOf(text, "si_arch=");
  const std::string_view address = FieldOf(text, "si_call_addr=");
  if (address.starts_with("0x")) line.address = base::ParseHex(address.substr(2)).value_or(0);
}

void ParseMode(std::string_view text, StraceLine& line) {
  constexpr std::string_view kRuns = " runs in ";
  const size_t at = text.find(kRuns);
  if (at == std::string_view::npos) return;
  const std::string_view mode = text.substr(at + kRuns.size());
  line.mode = mode.substr(0, mode.find(" mode"));
  line.kind = StraceKind::kMode;
}

// "= " after any blanks; npos: not there.
size_t ResultAt(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && text[at] == ' ') ++at;
  if (at == 0 || !text.substr(at).starts_with("= ")) return std::string_view::npos;
  return at + 2;
}

// Takes off the " <0.000042>" of -T.
std::string_view WithoutTimeSpent(std::string_view result) {
  if (!result.ends_with('>')) return result;
  const size_t begin = result.rfind(" <");
  if (begin == std::string_view::npos) return result;
  const std::string_view inside = result.substr(begin + 2, result.size() - begin - 3);
  const bool number = inside.find_first_not_of("0123456789.") == std::string_view::npos;
  return number || inside == "unavailable" ? result.substr(0, begin) : result;
}

void ParseCall(std::string_view text, StraceLine& line) {
  size_t size = 0;
  while (size < text.size() && IsWord(text[size])) ++size;
  if (text.starts_with("????")) size = 4;  // strace could not read the number
  if (size == 0 || size > 64 || size == text.size() || text[size] != '(') return;
  line.name = text.substr(0, size);
  std::string_view rest = text.substr(size + 1);
  for (const std::string_view mark : {kUnfinished, kDetached}) {
    if (!rest.ends_with(mark)) continue;
    line.kind = StraceKind::kUnfinished;
    line.detached = mark == kDetached;
    line.arguments = rest.substr(0, rest.size() - mark.size());
    if (line.arguments.ends_with(' ')) line.arguments.remove_suffix(1);
    return;
  }
  line.kind = CompleteStraceCall(rest, line) ? StraceKind::kCall : StraceKind::kBroken;
  if (line.kind == StraceKind::kBroken) line.arguments = rest;
}

void ParseResumed(std::string_view text, StraceLine& line) {
  text.remove_prefix(5);  // "<... "
  const size_t end = text.find(" resumed>");
  if (end == std::string_view::npos) return;
  line.name = text.substr(0, end);
  if (!std::ranges::all_of(line.name, [](char c) { return IsWord(c) || c == '?'; })) return;
  line.arguments = text.substr(end + 9);
  line.kind = StraceKind::kResumed;
}

}  // namespace

StraceArguments SplitStraceArguments(std::string_view text) {
  StraceArguments out;
  size_t depth = 0;
  size_t begin = 0;
  bool decorated = false;
  size_t plain_end = 0;  // where the argument's decoration begins
  const auto add = [&](size_t end) {
    const std::string_view value = base::Trim(text.substr(begin, (decorated ? plain_end : end) - begin));
    if (!value.empty() || !out.values.empty() || end < text.size()) out.values.push_back(value);
    begin = end + 1;
    decorated = false;
  };
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\') ++at;
      }
    } else if (c == '/' && text.substr(at).starts_with("/*")) {
      const size_t end = text.find("*/", at + 2);
      if (end == std::string_view::npos) break;
      at = end + 1;
    } else if (c == '<' && text.substr(at).starts_with("<<")) {
      ++at;
    } else if (c == '<' && at > 0 && IsWord(text[at - 1])) {
      const size_t end = EndOfDecoration(text, at);
      if (end == std::string_view::npos) break;
      if (depth == 0) {
        decorated = true;
        plain_end = at;
      }
      at = end - 1;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' && depth == 0) {
      if (!base::Trim(text.substr(begin, at - begin)).empty() || !out.values.empty()) add(at);
      out.end = at;
      return out;
    } else if (c == ')' || c == ']' || c == '}') {
      if (depth > 0) --depth;
    } else if (c == ',' && depth == 0) {
      add(at);
    }
  }
  if (begin < text.size()) add(text.size());
  return out;
}

bool CompleteStraceCall(std::string_view text, StraceLine& line) {
  const size_t end = SplitStraceArguments(text).end;
  if (end != std::string_view::npos) {
    const size_t result = ResultAt(text.substr(end + 1));
    if (result != std::string_view::npos) {
      line.arguments = text.substr(0, end);
      line.result = base::Trim(WithoutTimeSpent(base::Trim(text.substr(end + 1 + result))));
      return true;
    }
  }
  // "read(3,  <unfinished ...>) = ?": the process ended within the call.
  const size_t mark = text.find(kUnfinishedEnd);
  if (mark == std::string_view::npos) return false;
  const size_t after = mark + kUnfinishedEnd.size();
  const size_t result = ResultAt(text.substr(after));
  if (result == std::string_view::npos) return false;
  line.arguments = base::Trim(text.substr(0, mark));
  line.result = base::Trim(WithoutTimeSpent(base::Trim(text.substr(after + result))));
  return true;
}

StraceLine ParseStraceLine(std::string_view text) {
  StraceLine line;
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.starts_with(" > ")) {
    line.kind = StraceKind::kFrame;
    line.name = text.substr(3);
    if (line.name.ends_with(']')) line.name = base::Trim(line.name.substr(0, line.name.rfind('[')));
    return line;
  }
  if (text.starts_with("strace: ")) {
    line.kind = text.ends_with(" attached") ? StraceKind::kAttached : StraceKind::kNote;
    return line;
  }
  constexpr std::string_view kSummaryTitle = "System call usage summary for ";
  if (text.starts_with(kSummaryTitle)) {
    line.kind = StraceKind::kSummary;
    text.remove_prefix(kSummaryTitle.size());
    line.mode = text.substr(0, text.find(" mode"));
    return line;
  }
  const std::string_view trimmed = base::Trim(text);
  const auto has_word = [trimmed](std::string_view word) {
    const size_t at = trimmed.find(word);
    return at != std::string_view::npos && (at == 0 || trimmed[at - 1] == ' ') &&
           (at + word.size() == trimmed.size() || trimmed[at + word.size()] == ' ');
  };
  if ((trimmed.starts_with("% time") || trimmed.starts_with("syscall")) && has_word("syscall") && has_word("calls")) {
    line.kind = StraceKind::kSummary;
    return line;
  }
  TakePid(text, line);
  TakeTime(text, line);
  TakeBrackets(text, line);
  if (text.starts_with("[ Process PID=")) {
    ParseMode(text, line);
  } else if (text.starts_with("--- ") && text.ends_with(" ---")) {
    ParseSignal(text, line);
  } else if (text.starts_with("+++ ") && text.ends_with(" +++")) {
    line.kind = text.starts_with("+++ killed by ") ? StraceKind::kKilled : StraceKind::kExited;
    line.by_sigsys = text.starts_with("+++ killed by SIGSYS");
  } else if (text.starts_with("<... ")) {
    ParseResumed(text, line);
  } else {
    ParseCall(text, line);
  }
  return line;
}

std::optional<std::string> DecodeStraceString(std::string_view text) {
  text = base::Trim(text);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') return std::nullopt;
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    if (++at == text.size()) return std::nullopt;
    constexpr std::string_view kLetters = "abtnvfre";
    constexpr std::string_view kMeant = "\a\b\t\n\v\f\r\x1b";
    if (text[at] >= '0' && text[at] <= '7') {
      unsigned value = 0;
      size_t digits = 0;
      for (; digits < 3 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++digits, ++at) {
        value = value * 8 + static_cast<unsigned>(text[at] - '0');
      }
      --at;
      out += static_cast<char>(value);
    } else if (text[at] == 'x' && at + 2 < text.size()) {
      const auto value = base::ParseHex(text.substr(at + 1, 2));
      if (!value) return std::nullopt;
      out += static_cast<char>(*value);
      at += 2;
    } else if (const size_t letter = kLetters.find(text[at]); letter != std::string_view::npos) {
      out += kMeant[letter];
    } else {
      out += text[at];
    }
  }
  return out;
}

}  // namespace portcullis::insight
