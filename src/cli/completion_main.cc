// portcullis completion SHELL, and __complete, which its scripts call.
#include <cstdio>

#include "base/spawn.h"
#include "cli/completion/help_words.h"
#include "cli/verbs.h"

namespace portcullis::cli {
namespace {

std::string HelpOf(const std::vector<std::string>& verbs) {
  base::CommandOptions options{.spawn = {.argv = {"/proc/self/exe"}}, .timeout = std::chrono::seconds(5)};
  options.spawn.argv.insert(options.spawn.argv.end(), verbs.begin(), verbs.end());
  options.spawn.argv.emplace_back("--help");
  const auto help = base::RunCommand(options);
  return help && help->exit_code == 0 ? help->out : "";
}

}  // namespace

int CompletionMain(const std::vector<std::string>& args) {
  if (args.size() == 1 && (args[0] == "--help" || args[0] == "-h")) {
    std::puts(
        "usage: portcullis completion bash|zsh|fish\n\n"
        "Prints the script that makes the shell complete portcullis' verbs and flags: source <(portcullis completion "
        "bash)");
    return 0;
  }
  const auto script = CompletionScript(args.size() == 1 ? args[0] : "");
  if (!script) {
    std::fprintf(stderr, "portcullis completion: %s\n", script.error().message.c_str());
    return 2;
  }
  std::fputs(script->c_str(), stdout);
  return 0;
}

int CompleteMain(const std::vector<std::string>& words) {
  for (const std::string& word : Complete(words, HelpOf)) std::puts(word.c_str());
  return 0;
}

}  // namespace portcullis::cli
