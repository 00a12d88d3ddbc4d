// A profile as users name it on the command line: a file, `-` (standard input), or a release of the library
// ("containerd@1.7.13", "containerd@1.7", "cri-o", "docker@29.4.2", "RuntimeDefault@containerd-1.7"). A name with a `/`
// or that is an existing file is a file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "engine/seccomp/profile.h"
#include "engine/seccomp/profile_json.h"
#include "engine/seccomp/resolve.h"
#include "engine/seccomp/resolved.h"

namespace portcullis::cli {

struct Operand {
  std::string name;  // as errors call it: "containerd@2.2.4", a path, "standard input"
  seccomp::Flavour flavour = seccomp::Flavour::kPortcullis;
  seccomp::Profile profile;
  Diagnostics diagnostics;  // lenient reading: what was ignored
};

// The text of a file, or of standard input for `-`; at most seccomp::kMaxProfileBytes.
Result<std::string> ReadOperandText(const std::string& word);

Result<Operand> ReadOperand(const std::string& word, seccomp::ParseMode mode = seccomp::ParseMode::kStrict);

// For which container a profile is resolved; empty words mean the default.
struct ResolveWords {
  std::string capabilities = "default";  // "default" (Docker's 14), "none", "all", or a list: default,net_admin
  std::string arch;                      // Docker's or GOARCH name; "": this machine
  std::string kernel;                    // "6.18"; "": the running kernel
  std::string flavour;                   // whose rules; "": those of the library's runtime, our own for files
};

Result<seccomp::ResolveContext> ToContext(const ResolveWords& words, const Operand& operand);

// seccomp::Resolve; errors name the operand. The second form makes the context itself.
Result<seccomp::ResolvedProfile> ResolveOperand(const Operand& operand, const seccomp::ResolveContext& context);
Result<seccomp::ResolvedProfile> ResolveOperand(const Operand& operand, const ResolveWords& words);

}  // namespace portcullis::cli
