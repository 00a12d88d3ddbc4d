#include "cli/completion/help_words.h"

#include <algorithm>

#include "base/strings.h"

namespace portcullis::cli {
namespace {

constexpr std::string_view kBash = R"script(# bash completion of portcullis; made by `portcullis completion bash`
_portcullis() {
  local line=${COMP_LINE:0:COMP_POINT} words
  read -ra words <<<"$line"
  case $line in *[[:space:]]) words+=("") ;; esac
  local current=${words[${#words[@]}-1]}
  mapfile -t COMPREPLY < <(portcullis __complete "${words[@]:1}" 2>/dev/null)
  # Readline splits at '=': what is before it is typed already.
  case $current in *=*) COMPREPLY=() ;; esac
}
complete -o default -F _portcullis portcullis
)script";

constexpr std::string_view kZsh = R"script(#compdef portcullis
# zsh completion of portcullis; made by `portcullis completion zsh`
local -a found
found=(${(f)"$(portcullis __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"})
if (( ${#found} )); then compadd -- $found; else _files; fi
)script";

constexpr std::string_view kFish = R"script(# fish completion of portcullis; made by `portcullis completion fish`
function __portcullis_complete
    set -l words (commandline -opc) (commandline -ct)
    portcullis __complete $words[2..-1] 2>/dev/null
end
complete -c portcullis -a '(__portcullis_complete)'
)script";

bool IsVerb(std::string_view word) {
  return !word.empty() && word[0] >= 'a' && word[0] <= 'z' &&
         std::ranges::all_of(word, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

void AddOnce(std::vector<std::string>& list, std::string_view word) {
  if (std::ranges::find(list, word) == list.end()) list.emplace_back(word);
}

std::string_view FirstWord(std::string_view text) { return text.substr(0, std::min(text.find(' '), text.size())); }

}  // namespace

HelpWords ReadHelp(std::string_view command, std::string_view text) {
  HelpWords words;
  bool positionals = false;
  const std::string again = std::string(command) + " ";
  for (const std::string& raw : base::Split(text, '\n')) {
    const std::string_view line = raw;
    if (line.find("sage: ") != std::string_view::npos || line.starts_with("       ")) {
      const size_t at = line.find(again);
      const bool at_start = at != std::string_view::npos &&
                            line.substr(0, at).find_last_not_of(" ") == line.substr(0, at).find_last_of(":");
      if (at_start && IsVerb(FirstWord(line.substr(at + again.size())))) {
        AddOnce(words.verbs, FirstWord(line.substr(at + again.size())));
      }
    }
    if (line.ends_with(':') && !line.starts_with(" ")) positionals = line == "Positionals:";
    if (!line.starts_with("  ") || line.starts_with("   ")) continue;
    std::string_view rest = line.substr(2);
    if (rest.starts_with("-")) {
      for (const std::string& name : base::Split(FirstWord(rest), ',')) AddOnce(words.flags, name);
      continue;
    }
    if (positionals) continue;
    // "images, image, img     List images": all names of one verb, then at least two spaces.
    const size_t gap = rest.find("  ");
    if (gap == std::string_view::npos) continue;
    const auto names = base::Split(rest.substr(0, gap), ',');
    for (const std::string& name : names) {
      const std::string_view word = FirstWord(base::Trim(name));
      if (!IsVerb(word)) break;
      AddOnce(words.verbs, word);
    }
  }
  return words;
}

std::vector<std::string> Complete(const std::vector<std::string>& words, const AskHelp& ask) {
  const std::string current = words.empty() ? "" : words.back();
  std::vector<std::string> path;
  HelpWords here = ReadHelp("portcullis", ask(path));
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i].starts_with("-")) continue;
    if (std::ranges::find(here.verbs, words[i]) == here.verbs.end()) continue;  // an operand, or a flag's value
    path.push_back(words[i]);
    HelpWords below = ReadHelp("portcullis " + base::Join(path, " "), ask(path));
    // A verb within a verb's own positional arguments has no help of its own: the flags are those of its parent.
    if (!below.flags.empty() && below.flags == here.flags) below.verbs.clear();
    here = std::move(below);
  }
  std::vector<std::string> found;
  for (const std::string& word : current.starts_with("-") ? here.flags : here.verbs) {
    if (word.starts_with(current)) found.push_back(word);
  }
  return found;
}

Result<std::string> CompletionScript(std::string_view shell) {
  if (shell == "bash") return std::string(kBash);
  if (shell == "zsh") return std::string(kZsh);
  if (shell == "fish") return std::string(kFish);
  return Fail(Code::kInvalidArgument, "no completion for \"{}\": expected bash, zsh or fish", shell);
}

}  // namespace portcullis::cli
