#include "cli/output/markup.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/strings.h"

namespace portcullis::cli {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// nlohmann's writer is the one place that knows UTF-8; it replaces what is none.
std::string ValidUtf8(std::string_view text) {
  const std::string quoted =
      nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(quoted).get<std::string>();
}

}  // namespace

std::string EscapeMarkup(std::string_view text) {
  std::string out;
  for (const char c : ValidUtf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\n' && c != '\r') {
          out += kReplacement;
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string ForTerminal(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return out;
}

std::string Wrapped(std::string_view text, std::string_view indent, size_t columns) {
  std::string out;
  std::string line;
  for (const std::string& word : base::Split(text, ' ')) {
    if (!line.empty() && indent.size() + line.size() + 1 + word.size() > columns) {
      out.append(indent).append(line).append("\n");
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return out.append(indent).append(line).append("\n");
}

}  // namespace portcullis::cli
