// portcullis profile diff.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "cli/profile/differences.h"
#include "cli/profile_verbs.h"
#include "engine/filter/prove.h"

namespace portcullis::cli {
namespace {

Result<filter::Behaviour> BehaviourOf(const std::string& word, const ResolveWords& words, bool as_written) {
  ASSIGN_OR_RETURN(const Operand operand, ReadOperand(word));
  ASSIGN_OR_RETURN(const seccomp::ResolveContext context, ToContext(words, operand));
  ASSIGN_OR_RETURN(const seccomp::ResolvedProfile profile, ResolveOperand(operand, context));
  return filter::Describe(profile, {.native = context.host, .newer = NewerOf(as_written)});
}

}  // namespace

int ProfileDiffMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  ResolveWords words;
  bool as_json = false;
  bool as_written = false;
  CommandLine line("portcullis profile diff",
                   "Tells which calls two profiles answer differently. Exit code 0: none, 1: some, 2: error.");
  AddResolveFlags(line, &words);
  line.Bool("--json", &as_json, "print JSON");
  AddAsWrittenFlag(line, &as_written);
  line.Positional("profiles", &operands, "two files, library names, or one and -", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (operands.size() != 2) {
    return ReportProfileError({.code = Code::kInvalidArgument, .message = "want two profiles to compare"});
  }
  const auto before = BehaviourOf(operands[0], words, as_written);
  if (!before) return ReportProfileError(before.error());
  const auto after = BehaviourOf(operands[1], words, as_written);
  if (!after) return ReportProfileError(after.error());
  const auto differences = filter::Differences(*before, *after);
  if (!differences) return ReportProfileError(differences.error());
  if (as_json) {
    PrintJson(DifferencesToJson(*differences));
  } else {
    std::fputs(DifferencesToText(*differences).c_str(), stdout);
    std::printf("%zu difference%s\n", differences->size(), differences->size() == 1 ? "" : "s");
  }
  return differences->empty() ? 0 : 1;
}

}  // namespace portcullis::cli
