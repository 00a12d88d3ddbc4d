// The parsed form of a template: what template_parser.h makes and template_executor.h runs. Not for other rooms.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace portcullis::cli::go_template {

struct Place {
  int line = 1;
  int column = 1;
};

struct Pipeline;

// One word of a command, with the fields that are taken from it: `.a.b`, `$x.y`, `len`, `"text"`, `(pipeline).c`.
struct Operand {
  enum class Kind { kDot, kVariable, kFunction, kLiteral, kNil, kPipeline };
  Kind kind = Kind::kDot;
  std::string name;  // variable (with $) or function
  nlohmann::json literal;
  std::shared_ptr<Pipeline> pipeline;  // in parentheses
  std::vector<std::string> fields;
  Place place;
  std::string text;  // as written, for errors
};

// Words side by side: a function with its arguments, or one value.
struct Command {
  std::vector<Operand> operands;
};

// Commands joined by |, each handing its value on as the last argument of the next.
struct Pipeline {
  std::vector<std::string> variables;  // of `$x :=`, `$i, $v :=` or `$x =`
  bool declares = false;               // := rather than =
  std::vector<Command> commands;
  Place place;
};

struct Node {
  enum class Kind { kText, kAction, kIf, kRange, kWith, kTemplate, kBreak, kContinue };
  Kind kind = Kind::kText;
  std::string text;   // kText: the text; kTemplate: the name
  Pipeline pipeline;  // no commands: {{template "x"}} without data
  std::vector<Node> body;
  std::vector<Node> otherwise;  // {{else}}
  Place place;
};

struct Program {
  std::vector<Node> main;
  std::map<std::string, std::vector<Node>> named;  // {{define}} and {{block}}
};

}  // namespace portcullis::cli::go_template
