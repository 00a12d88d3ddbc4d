#include "runtime/registry/challenge.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"

namespace portcullis::runtime {
namespace {

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
constexpr std::string_view kToken68Marks = "-._~+/=";

bool IsAlphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// RFC 9110, 11.3: challenge = scheme [ 1*SP ( token68 / #auth-param ) ], and commas between both challenges and
// parameters. What follows a comma is a parameter when a "=" comes after its first word.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  std::vector<Challenge> Run() {
    std::vector<Challenge> out;
    while (SkipCommas(), !rest_.empty()) {
      std::string word = Token();
      if (word.empty()) break;
      SkipBlanks();
      if (rest_.starts_with('=')) {
        auto value = Value();
        if (!value || out.empty()) break;
        out.back().parameters.emplace(base::ToLower(word), *std::move(value));
      } else {
        out.push_back({.scheme = base::ToLower(word), .parameters = {}});
        SkipToken68();
        continue;  // a first parameter comes without a comma
      }
      SkipBlanks();
      if (!rest_.empty() && !rest_.starts_with(',')) break;
    }
    return out;
  }

 private:
  void SkipBlanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  void SkipCommas() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t,"), rest_.size())); }

  std::string Token() {
    size_t i = 0;
    while (i < rest_.size() && (IsAlphanumeric(rest_[i]) || kTokenMarks.find(rest_[i]) != std::string_view::npos)) ++i;
    std::string out(rest_.substr(0, i));
    rest_.remove_prefix(i);
    return out;
  }

  // "Negotiate YII=": one lump that ends its challenge; "=" only pads it, where a=b is a parameter.
  void SkipToken68() {
    SkipBlanks();
    size_t end = 0;
    while (end < rest_.size() &&
           (IsAlphanumeric(rest_[end]) || kToken68Marks.find(rest_[end]) != std::string_view::npos))
      ++end;
    const size_t next = rest_.find_first_not_of(" \t", end);
    if (next != std::string_view::npos && rest_[next] != ',') return;
    const std::string_view lump = rest_.substr(0, end);
    const size_t padding = lump.find('=');
    if (lump.find_first_not_of('=', std::min(padding, lump.size())) == std::string_view::npos) rest_.remove_prefix(end);
  }

  std::optional<std::string> Value() {
    rest_.remove_prefix(1);
    SkipBlanks();
    std::string out;
    if (!rest_.starts_with('"')) {  // registries send "scope=repository:a/b:pull", which is no token
      out = rest_.substr(0, rest_.find_first_of(", \t"));
      rest_.remove_prefix(out.size());
      return out;
    }
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return out;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      out += rest_[i];
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

}  // namespace

std::string Challenge::Get(const std::string& parameter) const {
  const auto it = parameters.find(parameter);
  return it == parameters.end() ? std::string() : it->second;
}

std::vector<Challenge> ParseChallenges(std::string_view header) { return Parser(header).Run(); }

}  // namespace portcullis::runtime
