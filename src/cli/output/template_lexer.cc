#include "cli/output/template_lexer.h"

#include <cctype>

#include "base/document.h"
#include "base/strings.h"
#include "base/try.h"

namespace portcullis::cli::go_template {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordCharacter(char c) {
  return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}

void TrimRight(std::string& text) {
  while (!text.empty() && IsSpace(text.back())) text.pop_back();
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_(text) {}

  Result<std::vector<Token>> Run() {
    bool trim_left = false;
    while (true) {
      if (trim_left) Skip();
      const Place place = place_;
      const size_t open = rest_.find("{{");
      std::string text(rest_.substr(0, open));
      const bool trims = open != std::string_view::npos && rest_.size() > open + 3 && rest_[open + 2] == '-' &&
                         IsSpace(rest_[open + 3]);
      if (trims) TrimRight(text);
      if (!text.empty()) tokens_.push_back({Token::Kind::kText, std::move(text), place, false});
      Advance(std::min(open, rest_.size()));
      if (rest_.empty()) return std::move(tokens_);
      ASSIGN_OR_RETURN(trim_left, Action(trims));
    }
  }

 private:
  // From "{{" to the end of "}}"; says whether the text after it is trimmed.
  Result<bool> Action(bool trims) {
    const Place begin = place_;
    Advance(trims ? 3 : 2);
    std::string_view inner = rest_;
    while (!inner.empty() && IsSpace(inner.front())) inner.remove_prefix(1);
    if (inner.substr(0, 2) == "/*") return Comment(begin);
    tokens_.push_back({Token::Kind::kActionBegin, "{{", begin, false});
    while (true) {
      const bool after_space = Skip();
      if (rest_.empty()) return TemplateError(begin, "unclosed action");
      const Place place = place_;
      if (rest_.substr(0, 2) == "}}" || (after_space && rest_.substr(0, 3) == "-}}")) {
        const bool trim_left = rest_.front() == '-';
        tokens_.push_back({Token::Kind::kActionEnd, "}}", place, after_space});
        Advance(trim_left ? 3 : 2);
        return trim_left;
      }
      ASSIGN_OR_RETURN(Token token, Word());
      token.place = place;
      token.after_space = after_space;
      tokens_.push_back(std::move(token));
    }
  }

  Result<bool> Comment(const Place& begin) {
    const size_t end = rest_.find("*/");
    if (end == std::string_view::npos) return TemplateError(begin, "unclosed comment");
    Advance(end + 2);
    const bool after_space = Skip();
    const bool trim_left = after_space && rest_.substr(0, 3) == "-}}";
    if (!trim_left && rest_.substr(0, 2) != "}}") return TemplateError(begin, "comment ends before closing delimiter");
    Advance(trim_left ? 3 : 2);
    return trim_left;
  }

  Result<Token> Word() {
    const char c = rest_.front();
    if (c == '"') return String();
    if (c == '`') return RawString();
    if (c == '\'') return Character();
    if (rest_.substr(0, 2) == ":=") return Take(Token::Kind::kPunctuation, 2);
    if (c == '(' || c == ')' || c == '|' || c == ',' || c == '=') return Take(Token::Kind::kPunctuation, 1);
    if (c == '.' && (rest_.size() < 2 || !IsDigit(rest_[1]))) {
      const size_t length = WordLength(1);
      if (length == 1) return Take(Token::Kind::kDot, 1);
      Token field = Take(Token::Kind::kField, length);
      field.text.erase(0, 1);
      return field;
    }
    if (c == '$') return Take(Token::Kind::kVariable, WordLength(1));
    if (IsDigit(c) || c == '.' ||
        ((c == '-' || c == '+') && rest_.size() > 1 && (IsDigit(rest_[1]) || rest_[1] == '.'))) {
      size_t length = 1;
      while (length < rest_.size() && (IsWordCharacter(rest_[length]) || rest_[length] == '.' ||
                                       ((rest_[length] == '-' || rest_[length] == '+') &&
                                        (rest_[length - 1] == 'e' || rest_[length - 1] == 'E')))) {
        ++length;
      }
      return Take(Token::Kind::kNumber, length);
    }
    if (IsWordCharacter(c)) return Take(Token::Kind::kWord, WordLength(0));
    return TemplateError(place_, "unexpected character " + base::Quote(rest_.substr(0, 1)) + " in action");
  }

  // "..." with Go's escapes; those that JSON lacks (\a \v \x \' and octal) are handled beforehand.
  Result<Token> String() {
    const Place begin = place_;
    std::string json = "\"";
    size_t i = 1;
    for (; i < rest_.size() && rest_[i] != '"'; ++i) {
      if (rest_[i] == '\n') return TemplateError(begin, "unterminated quoted string");
      json += rest_[i];
      if (rest_[i] == '\\' && i + 1 < rest_.size()) {
        ++i;
        if (rest_[i] == 'a' || rest_[i] == 'v') {
          json += rest_[i] == 'a' ? "u0007" : "u000b";
        } else if (rest_[i] == 'x' && i + 2 < rest_.size()) {
          json += "u00" + std::string(rest_.substr(i + 1, 2));
          i += 2;
        } else {
          json += rest_[i];
        }
      }
    }
    if (i >= rest_.size()) return TemplateError(begin, "unterminated quoted string");
    std::string quoted;
    for (char c : json) quoted += c == '\t' ? std::string("\\t") : std::string(1, c);
    auto decoded = base::ParseJson(quoted + "\"", "string");
    if (!decoded || !decoded->is_string())
      return TemplateError(begin, "invalid escape in " + std::string(rest_.substr(0, i + 1)));
    Token token{Token::Kind::kString, decoded->get<std::string>(), begin, false};
    Advance(i + 1);
    return token;
  }

  Result<Token> RawString() {
    const Place begin = place_;
    const size_t end = rest_.find('`', 1);
    if (end == std::string_view::npos) return TemplateError(begin, "unterminated raw quoted string");
    Token token{Token::Kind::kString, std::string(rest_.substr(1, end - 1)), begin, false};
    Advance(end + 1);
    return token;
  }

  Result<Token> Character() {
    const Place begin = place_;
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != '\'') end += rest_[end] == '\\' ? 2 : 1;
    const std::string_view inner = end < rest_.size() ? rest_.substr(1, end - 1) : std::string_view();
    static constexpr std::string_view kEscapes = "n\nt\tr\r\\\\'\'";
    int value = -1;
    if (inner.size() == 1) value = static_cast<unsigned char>(inner[0]);
    if (inner.size() == 2 && inner[0] == '\\') {
      for (size_t i = 0; i + 1 < kEscapes.size(); i += 2) {
        if (kEscapes[i] == inner[1]) value = kEscapes[i + 1];
      }
    }
    if (value < 0) return TemplateError(begin, "malformed character constant");
    Token token{Token::Kind::kCharacter, std::to_string(value), begin, false};
    Advance(end + 1);
    return token;
  }

  size_t WordLength(size_t from) const {
    size_t length = from;
    while (length < rest_.size() && IsWordCharacter(rest_[length])) ++length;
    return length;
  }

  Token Take(Token::Kind kind, size_t length) {
    Token token{kind, std::string(rest_.substr(0, length)), place_, false};
    Advance(length);
    return token;
  }

  bool Skip() {
    size_t length = 0;
    while (length < rest_.size() && IsSpace(rest_[length])) ++length;
    Advance(length);
    return length > 0;
  }

  void Advance(size_t length) {
    for (char c : rest_.substr(0, length)) {
      if (c == '\n') {
        ++place_.line;
        place_.column = 1;
      } else {
        ++place_.column;
      }
    }
    rest_.remove_prefix(length);
  }

  std::string_view rest_;
  Place place_;
  std::vector<Token> tokens_;
};

}  // namespace

Failure TemplateError(const Place& place, const std::string& message) {
  return Fail(Code::kInvalidArgument, "template: {}:{}: {}", place.line, place.column, message);
}

Result<std::vector<Token>> Lex(std::string_view text) { return Lexer(text).Run(); }

}  // namespace portcullis::cli::go_template
