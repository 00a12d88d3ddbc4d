// What can be typed next, read from the help that a verb prints: completions and manual pages cannot differ from it.
//
//   HelpWords words = ReadHelp("portcullis profile", text);   // words.verbs: {"list", "show", ...}
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::cli {

struct HelpWords {
  std::vector<std::string> verbs;  // in the help's order, without doubles
  std::vector<std::string> flags;  // "-h", "--help"
};
// `command` is the command line whose help this is: usage lines that go on behind it name verbs too.
HelpWords ReadHelp(std::string_view command, std::string_view text);

// The words that fit behind "portcullis", the last of `words` being the one that is typed ("" when none is begun yet).
// `ask` gives the help of "portcullis VERBS...". Empty: file names are the shell's business.
using AskHelp = std::function<std::string(const std::vector<std::string>& verbs)>;
std::vector<std::string> Complete(const std::vector<std::string>& words, const AskHelp& ask);

// The script that makes a shell ask us: bash, zsh or fish. It calls `portcullis __complete WORD...`.
Result<std::string> CompletionScript(std::string_view shell);

}  // namespace portcullis::cli
