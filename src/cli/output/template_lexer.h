// Cuts a template into text and the words of its actions. Not for other rooms.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/output/template_ast.h"

namespace portcullis::cli::go_template {

struct Token {
  enum class Kind {
    kText,         // between actions, already trimmed
    kActionBegin,  // {{
    kActionEnd,    // }}
    kField,        // .name   (text without the dot)
    kDot,          // .
    kVariable,     // $ or $name
    kWord,         // identifier or keyword
    kString,       // "..." or `...`, decoded
    kNumber,       // as written
    kCharacter,    // 'c': text holds its number
    kPunctuation,  // ( ) | , := =
  };
  Kind kind = Kind::kText;
  std::string text;
  Place place;
  bool after_space = false;  // blanks before it: `.a .b` are two words, `.a.b` is one
};

Result<std::vector<Token>> Lex(std::string_view text);

// "template: 3:14: MESSAGE"
Failure TemplateError(const Place& place, const std::string& message);

}  // namespace portcullis::cli::go_template
