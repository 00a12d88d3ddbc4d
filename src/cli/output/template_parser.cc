#include "cli/output/template_parser.h"

#include <charconv>
#include <cstdlib>
#include <set>
#include <utility>

#include "base/strings.h"
#include "base/try.h"
#include "cli/output/template_functions.h"
#include "cli/output/template_lexer.h"

namespace portcullis::cli::go_template {
namespace {

using Kind = Token::Kind;

constexpr int kMaxNesting = 64;
constexpr int kMaxFields = 256;

bool IsKeyword(std::string_view word) {
  static const std::set<std::string_view> kWords = {"if",       "else",   "end",   "range", "with",
                                                    "template", "define", "block", "break", "continue"};
  return kWords.contains(word);
}

// How a list of nodes ended.
enum class Stop { kInputEnd, kEnd, kElse };

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Program> Run() {
    ASSIGN_OR_RETURN(const Stop stop, List(program_.main));
    if (stop != Stop::kInputEnd) {
      return TemplateError(last_stop_, stop == Stop::kEnd ? "unexpected {{end}}" : "unexpected {{else}}");
    }
    return std::move(program_);
  }

 private:
  // Nodes up to {{end}}, {{else or the end of the text. After kElse the word `else` has been read.
  Result<Stop> List(std::vector<Node>& out) {
    if (++nesting_ > kMaxNesting) return TemplateError(Here(), "nested too deeply");
    while (position_ < tokens_.size()) {
      Token& token = tokens_[position_];
      if (token.kind == Kind::kText) {
        out.push_back({.kind = Node::Kind::kText, .text = std::move(token.text), .place = token.place});
        ++position_;
        continue;
      }
      const Place place = token.place;
      ++position_;  // {{
      const std::string word = Peek(Kind::kWord) ? tokens_[position_].text : "";
      if (word == "end" || word == "else") {
        last_stop_ = place;
        ++position_;
        if (word == "end") TRY(EndOfAction());
        --nesting_;
        return word == "end" ? Stop::kEnd : Stop::kElse;
      }
      if (word == "define") {
        TRY(Define());
      } else {
        TRY(Action(word, place, out));
      }
    }
    --nesting_;
    return Stop::kInputEnd;
  }

  Result<void> Action(const std::string& word, const Place& place, std::vector<Node>& out) {
    Node node{.place = place};
    if (word == "if" || word == "range" || word == "with") {
      ++position_;
      node.kind = word == "if" ? Node::Kind::kIf : word == "range" ? Node::Kind::kRange : Node::Kind::kWith;
      TRY(Control(word, node));
    } else if (word == "template" || word == "block") {
      ++position_;
      TRY(Template(word, node));
    } else if (word == "break" || word == "continue") {
      ++position_;
      if (loops_ == 0) return TemplateError(place, "{{" + word + "}} outside {{range}}");
      node.kind = word == "break" ? Node::Kind::kBreak : Node::Kind::kContinue;
      TRY(EndOfAction());
    } else {
      node.kind = Node::Kind::kAction;
      TRY(ParsePipeline("command", node.pipeline));
      TRY(EndOfAction());
    }
    out.push_back(std::move(node));
    return {};
  }

  // if, range or with, after the word itself; `{{else if}}` and `{{else with}}` become a nested node in `otherwise`.
  Result<void> Control(const std::string& word, Node& node) {
    const size_t scope = variables_.size();
    TRY(ParsePipeline(word, node.pipeline));
    TRY(EndOfAction());
    if (word == "range") ++loops_;
    ASSIGN_OR_RETURN(const Stop stop, List(node.body));
    if (word == "range") --loops_;
    if (stop == Stop::kInputEnd) return TemplateError(node.place, "{{" + word + "}} has no {{end}}");
    if (stop == Stop::kElse) TRY(Else(word, node));
    variables_.resize(scope);
    return {};
  }

  Result<void> Else(const std::string& word, Node& node) {
    const std::string next = Peek(Kind::kWord) ? tokens_[position_].text : "";
    if (next == word && word != "range") {
      if (++nesting_ > kMaxNesting) return TemplateError(Here(), "nested too deeply");
      Node nested{.kind = node.kind, .place = Here()};
      ++position_;
      TRY(Control(word, nested));
      node.otherwise.push_back(std::move(nested));
      --nesting_;
      return {};
    }
    TRY(EndOfAction());
    ASSIGN_OR_RETURN(const Stop stop, List(node.otherwise));
    if (stop == Stop::kInputEnd) return TemplateError(node.place, "{{" + word + "}} has no {{end}}");
    if (stop == Stop::kElse) return TemplateError(last_stop_, "expected end; found {{else}}");
    return {};
  }

  Result<void> Define() {
    const Place place = Here();
    ++position_;
    ASSIGN_OR_RETURN(const std::string name, Name("define"));
    TRY(EndOfAction());
    std::vector<Node> body;
    TRY(Body("define", place, body));
    program_.named[name] = std::move(body);
    return {};
  }

  Result<void> Template(const std::string& word, Node& node) {
    node.kind = Node::Kind::kTemplate;
    ASSIGN_OR_RETURN(node.text, Name(word));
    if (!Peek(Kind::kActionEnd)) TRY(ParsePipeline(word, node.pipeline));
    TRY(EndOfAction());
    if (word == "template") return {};
    std::vector<Node> body;
    TRY(Body("block", node.place, body));
    program_.named.try_emplace(node.text, std::move(body));  // a {{define}} seen before wins
    return {};
  }

  // The inside of define and block: own variables, no surrounding loop.
  Result<void> Body(const std::string& word, const Place& place, std::vector<Node>& body) {
    std::vector<std::string> outer_variables = {"$"};
    std::swap(outer_variables, variables_);
    const int outer_loops = std::exchange(loops_, 0);
    ASSIGN_OR_RETURN(const Stop stop, List(body));
    if (stop != Stop::kEnd) return TemplateError(place, "{{" + word + "}} has no {{end}}");
    variables_ = std::move(outer_variables);
    loops_ = outer_loops;
    return {};
  }

  Result<std::string> Name(const std::string& word) {
    if (!Peek(Kind::kString)) return Unexpected("in " + word + " clause: expected a quoted name");
    return tokens_[position_++].text;
  }

  Result<void> ParsePipeline(const std::string& context, Pipeline& out) {
    out.place = Here();
    ASSIGN_OR_RETURN(const std::vector<std::string> declared, Declaration(context, out));
    while (true) {
      TRY(ParseCommand(context, out));
      if (!PeekPunctuation("|")) break;
      ++position_;
    }
    variables_.insert(variables_.end(), declared.begin(), declared.end());  // not visible in their own value
    return {};
  }

  // `$x :=`, `$x =` and, in range, `$i, $v :=`; returns the new names.
  Result<std::vector<std::string>> Declaration(const std::string& context, Pipeline& out) {
    const size_t begin = position_;
    std::vector<std::string> names;
    while (Peek(Kind::kVariable)) {
      names.push_back(tokens_[position_++].text);
      if (!PeekPunctuation(",")) break;
      ++position_;
    }
    const bool declares = PeekPunctuation(":=");
    if (names.empty() || !(declares || PeekPunctuation("="))) {
      if (names.size() > 1) return Unexpected("in " + context);
      position_ = begin;
      return std::vector<std::string>{};
    }
    if (names.size() > (context == "range" ? 2u : 1u)) {
      return TemplateError(out.place, "too many declarations in " + context);
    }
    ++position_;
    out.variables = names;
    out.declares = declares;
    if (declares) return names;
    for (const std::string& name : names) TRY(CheckVariable(name, out.place));
    return std::vector<std::string>{};
  }

  Result<void> ParseCommand(const std::string& context, Pipeline& pipeline) {
    Command command;
    while (!Peek(Kind::kActionEnd) && !PeekPunctuation("|") && !PeekPunctuation(")")) {
      if (position_ >= tokens_.size()) return Unexpected("in " + context);
      ASSIGN_OR_RETURN(Operand operand, ParseOperand(context));
      command.operands.push_back(std::move(operand));
    }
    if (command.operands.empty()) return TemplateError(Here(), "missing value for " + context);
    const Operand& first = command.operands.front();
    const bool callable = first.kind == Operand::Kind::kFunction && first.fields.empty();
    if (!callable && command.operands.size() > 1) {
      return TemplateError(first.place, "can't give argument to non-function " + first.text);
    }
    if (!callable && !pipeline.commands.empty()) {
      return TemplateError(first.place,
                           "non executable command in pipeline stage " + std::to_string(pipeline.commands.size() + 1));
    }
    pipeline.commands.push_back(std::move(command));
    return {};
  }

  Result<Operand> ParseOperand(const std::string& context) {
    const Token& token = tokens_[position_];
    Operand operand{.place = token.place, .text = token.text};
    switch (token.kind) {
      case Kind::kDot:
        break;
      case Kind::kField:
        operand.text = "." + token.text;
        operand.fields.push_back(token.text);
        break;
      case Kind::kVariable:
        TRY(CheckVariable(token.text, token.place));
        operand.kind = Operand::Kind::kVariable;
        operand.name = token.text;
        break;
      case Kind::kString:
        operand.kind = Operand::Kind::kLiteral;
        operand.literal = token.text;
        operand.text = base::Quote(token.text);
        break;
      case Kind::kNumber:
      case Kind::kCharacter: {
        operand.kind = Operand::Kind::kLiteral;
        ASSIGN_OR_RETURN(operand.literal, Number(token));
        break;
      }
      case Kind::kWord:
        TRY(Word(token, context, operand));
        break;
      case Kind::kPunctuation:
        if (token.text == "(") return Parenthesis(operand);
        return Unexpected("in " + context);
      default:
        return Unexpected("in " + context);
    }
    ++position_;
    TRY(Fields(operand));
    return operand;
  }

  Result<Operand> Parenthesis(Operand operand) {
    if (++nesting_ > kMaxNesting) return TemplateError(Here(), "nested too deeply");
    ++position_;
    operand.kind = Operand::Kind::kPipeline;
    operand.pipeline = std::make_shared<Pipeline>();
    TRY(ParsePipeline("parenthesized pipeline", *operand.pipeline));
    if (!PeekPunctuation(")")) return TemplateError(operand.place, "unclosed left paren");
    ++position_;
    --nesting_;
    operand.text = "(...)";
    TRY(Fields(operand));
    return operand;
  }

  Result<void> Word(const Token& token, const std::string& context, Operand& operand) {
    if (IsKeyword(token.text)) return Unexpected("in " + context);
    if (token.text == "true" || token.text == "false") {
      operand.kind = Operand::Kind::kLiteral;
      operand.literal = token.text == "true";
    } else if (token.text == "nil") {
      operand.kind = Operand::Kind::kNil;
    } else {
      if (!IsFunction(token.text)) {
        return TemplateError(token.place, "function " + base::Quote(token.text) + " not defined");
      }
      operand.kind = Operand::Kind::kFunction;
      operand.name = token.text;
    }
    return {};
  }

  // .b.c directly behind an operand.
  Result<void> Fields(Operand& operand) {
    while (Peek(Kind::kField) && !tokens_[position_].after_space) {
      if (operand.fields.size() >= kMaxFields) return TemplateError(Here(), "too many fields");
      operand.text += "." + tokens_[position_].text;
      operand.fields.push_back(tokens_[position_++].text);
    }
    return {};
  }

  Result<nlohmann::json> Number(const Token& token) {
    std::string text;
    for (char c : token.text) {
      if (c != '_') text += c;
    }
    const bool negative = text.front() == '-';
    std::string_view digits = text;
    if (negative || text.front() == '+') digits.remove_prefix(1);
    int base = 10;
    if (digits.size() > 2 && digits[0] == '0') {
      if (digits[1] == 'x' || digits[1] == 'X') base = 16;
      if (digits[1] == 'o' || digits[1] == 'O') base = 8;
      if (digits[1] == 'b' || digits[1] == 'B') base = 2;
      if (base != 10) digits.remove_prefix(2);
    }
    const std::string whole = (negative ? "-" : "") + std::string(digits);
    int64_t integer = 0;
    const auto end = std::from_chars(whole.data(), whole.data() + whole.size(), integer, base);
    if (end.ec == std::errc() && end.ptr == whole.data() + whole.size()) return nlohmann::json(integer);
    char* rest = nullptr;
    const double real = std::strtod(whole.c_str(), &rest);
    if (base != 10 || rest != whole.c_str() + whole.size()) {
      return TemplateError(token.place, "bad number syntax: " + base::Quote(token.text));
    }
    return nlohmann::json(real);
  }

  Result<void> CheckVariable(const std::string& name, const Place& place) const {
    if (std::find(variables_.begin(), variables_.end(), name) != variables_.end()) return {};
    return TemplateError(place, "undefined variable " + base::Quote(name));
  }

  Result<void> EndOfAction() {
    if (!Peek(Kind::kActionEnd)) return Unexpected("in command");
    ++position_;
    return {};
  }

  bool Peek(Kind kind) const { return position_ < tokens_.size() && tokens_[position_].kind == kind; }
  bool PeekPunctuation(std::string_view text) const {
    return Peek(Kind::kPunctuation) && tokens_[position_].text == text;
  }
  Place Here() const {
    if (tokens_.empty()) return {};
    return tokens_[std::min(position_, tokens_.size() - 1)].place;
  }
  Failure Unexpected(const std::string& context) const {
    if (position_ >= tokens_.size()) return TemplateError(Here(), "unexpected end of the template " + context);
    return TemplateError(Here(), "unexpected " + base::Quote(tokens_[position_].text) + " " + context);
  }

  std::vector<Token> tokens_;
  size_t position_ = 0;
  int nesting_ = 0;
  int loops_ = 0;
  Place last_stop_;
  std::vector<std::string> variables_ = {"$"};
  Program program_;
};

}  // namespace

Result<Program> ParseProgram(std::string_view text) {
  ASSIGN_OR_RETURN(std::vector<Token> tokens, Lex(text));
  return Parser(std::move(tokens)).Run();
}

}  // namespace portcullis::cli::go_template
