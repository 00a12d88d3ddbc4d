// A verb's flags as a plain table; CLI11 stays behind command_line.cc.
//
//   CommandLine line("portcullis runtime", "Serves CRI v1 on a unix socket.");
//   line.Text("--state-dir", &options.state_dir, "images, snapshots and state");
//   line.Bool("--cni-default", &options.cni_default, "install a bridge network when there is none");
//   if (auto exit_code = line.Parse(args)) return *exit_code;     // help was printed, or the error
//
// Flags are read as Kubernetes' programs read them: `_` in a name counts as `-`, a boolean takes its value only behind
// `=`
// (--x, --x=false, Go's spellings of true and false), a repeated list flag accumulates.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace portcullis::cli {

class CommandLine {
 public:
  CommandLine(const std::string& name, const std::string& description);
  ~CommandLine();

  // `target` holds the default, which help shows.
  void Text(const std::string& flag, std::string* target, const std::string& help);
  void Number(const std::string& flag, int* target, const std::string& help);
  void Bool(const std::string& flag, bool* target, const std::string& help);
  void OptionalBool(const std::string& flag, std::optional<bool>* target, const std::string& help);
  // Called once per occurrence, in order; an error it returns is the error of the command line. A switch may come
  // without a value and then takes "true".
  using Take = std::function<Result<void>(const std::string&)>;
  void Each(const std::string& flag, Take take, const std::string& help, bool is_switch = false);
  void Positional(const std::string& name, std::vector<std::string>* target, const std::string& help, bool required);
  // Flags declared from here on belong to this group: help lists them together, and GivenIn tells which were used.
  void Group(const std::string& name);
  std::vector<std::string> GivenIn(const std::string& group) const;
  // A line below the flags' list.
  void Footer(const std::string& text);

  // nullopt: go on. Otherwise the process's exit code: help was printed (0) or an error (1) after "<error_prefix>".
  std::optional<int> Parse(std::vector<std::string> args, const std::string& error_prefix = "");

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The words before "--", and the command after it: `verb [flags] -- COMMAND [ARG...]`.
struct DashedWords {
  std::vector<std::string> flags;
  std::vector<std::string> command;
};
DashedWords SplitAtDashes(const std::vector<std::string>& args);

}  // namespace portcullis::cli
