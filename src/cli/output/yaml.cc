#include "cli/output/yaml.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

namespace portcullis::cli {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Words that YAML 1.1 reads as null, booleans, special numbers or merge keys.
bool IsReservedWord(std::string_view text) {
  static constexpr std::array<std::string_view, 41> kWords = {
      "",      "~",     "null",  "Null",  "NULL",  "true",  "True", "TRUE", "false", "False", "FALSE",
      "yes",   "Yes",   "YES",   "no",    "No",    "NO",    "on",   "On",   "ON",    "off",   "Off",
      "OFF",   "y",     "Y",     "n",     "N",     ".nan",  ".NaN", ".NAN", ".inf",  ".Inf",  ".INF",
      "-.inf", "-.Inf", "-.INF", "+.inf", "+.Inf", "+.INF", "<<",   "="};
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

// A text that may be read as a number (any base), a base-60 number or a date. Cautious: quoting too much does no harm.
bool LooksLikeNumber(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  if (text.size() > 1 && text.front() == '.') text.remove_prefix(1);
  if (text.empty() || !IsDigit(text.front())) return false;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'o' || text[1] == 'b')) {
    return std::all_of(text.begin() + 2, text.end(), [](char c) {
      return IsDigit(c) || c == '_' || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsDigit(c) || c == '.' || c == '_' || c == ':' || c == '-' || c == '+' || c == 'e' || c == 'E' || c == 'T' ||
           c == 'Z' || c == 't' || c == ' ';
  });
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n') || byte == 0x7f;
  });
}

// Whether the grammar lets the text stand without quotes in a block context.
bool PlainAllowed(std::string_view text) {
  static constexpr std::string_view kIndicators = "#,[]{}&*!|>'\"%@`";
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  if (kIndicators.find(text.front()) != std::string_view::npos) return false;
  const bool alone = text.size() == 1 || text[1] == ' ';
  if ((text.front() == '-' || text.front() == '?' || text.front() == ':') && alone) return false;
  if (text.substr(0, 3) == "---" || text.substr(0, 3) == "...") return false;
  return text.find(": ") == std::string_view::npos && text.back() != ':' && text.find(" #") == std::string_view::npos;
}

std::string SingleQuoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

// JSON's escapes are a subset of YAML's; invalid UTF-8 is replaced, so this cannot throw.
std::string DoubleQuoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool LiteralAllowed(std::string_view text) {
  return text.find('\n') != std::string_view::npos && text.find(" \n") == std::string_view::npos &&
         text.back() != ' ' && !HasControlCharacter(text);
}

// "|", "|-" or "|+", an indentation hint when the text itself begins with a blank, and the lines.
std::string Literal(std::string_view text, const std::string& indent) {
  std::string out = "|";
  if (text.front() == ' ' || text.front() == '\n') out += '2';
  const bool ends_in_newline = text.back() == '\n';
  const bool ends_in_blank_line = ends_in_newline && (text.size() == 1 || text[text.size() - 2] == '\n');
  if (!ends_in_newline) out += '-';
  if (ends_in_blank_line) out += '+';
  if (ends_in_newline) text.remove_suffix(1);
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    out += '\n';
    if (end > begin) out.append(indent).append(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::string Scalar(const std::string& text, const std::string& indent, bool is_key) {
  if (!is_key && !text.empty() && LiteralAllowed(text)) return Literal(text, indent);
  if (HasControlCharacter(text) || text.find('\n') != std::string::npos) return DoubleQuoted(text);
  if (IsReservedWord(text) || LooksLikeNumber(text)) return DoubleQuoted(text);
  return PlainAllowed(text) ? text : SingleQuoted(text);
}

bool IsBlock(const nlohmann::json& value) { return value.is_structured() && !value.empty(); }

// Writes a non-empty object or list at `indent`; the first line is not indented when `inline_first` (after "- ").
void WriteBlock(const nlohmann::json& value, const std::string& indent, bool inline_first, std::string& out);

void WriteInline(const nlohmann::json& value, const std::string& indent, std::string& out) {
  if (value.is_string()) {
    out += Scalar(value.get_ref<const std::string&>(), indent, false);
  } else {
    out += value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);  // {}, [], null, numbers, booleans
  }
  out += '\n';
}

void WriteObject(const nlohmann::json& object, const std::string& indent, bool inline_first, std::string& out) {
  bool first = true;
  for (const auto& [key, value] : object.items()) {
    if (!first || !inline_first) out += indent;
    first = false;
    out += Scalar(key, indent, true) + ":";
    if (IsBlock(value)) {
      out += '\n';
      WriteBlock(value, value.is_array() ? indent : indent + "  ", false, out);
    } else {
      out += ' ';
      WriteInline(value, indent + "  ", out);
    }
  }
}

void WriteBlock(const nlohmann::json& value, const std::string& indent, bool inline_first, std::string& out) {
  if (value.is_object()) return WriteObject(value, indent, inline_first, out);
  bool first = true;
  for (const auto& item : value) {
    if (!first || !inline_first) out += indent;
    first = false;
    out += "- ";
    if (IsBlock(item)) {
      WriteBlock(item, indent + "  ", true, out);
    } else {
      WriteInline(item, indent + "  ", out);
    }
  }
}

}  // namespace

std::string ToYaml(const nlohmann::json& value) {
  std::string out;
  if (IsBlock(value)) {
    WriteBlock(value, "", false, out);
  } else {
    WriteInline(value, "  ", out);
  }
  return out;
}

}  // namespace portcullis::cli
