// portcullis profile merge, intersect, subtract, minimise, subset, log-twin.
#include <cstdint>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "base/try.h"
#include "cli/profile/differences.h"
#include "cli/profile_verbs.h"
#include "engine/algebra/operations.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::cli {
namespace {

struct Inputs {
  std::vector<std::string> words;  // as the user named the profiles
  std::vector<seccomp::ResolvedProfile> profiles;
  syscalls::Arch native = syscalls::NativeArch();
};

Result<Inputs> ReadInputs(const std::vector<std::string>& words, const ResolveWords& resolve) {
  Inputs inputs{.words = words, .profiles = {}};
  for (const std::string& word : words) {
    ASSIGN_OR_RETURN(const Operand operand, ReadOperand(word));
    ASSIGN_OR_RETURN(const seccomp::ResolveContext context, ToContext(resolve, operand));
    ASSIGN_OR_RETURN(seccomp::ResolvedProfile resolved, ResolveOperand(operand, context));
    inputs.native = context.host;
    inputs.profiles.push_back(std::move(resolved));
  }
  // Files mostly say nothing about architectures; that is meant as "the usual ones" and changes what is compared.
  for (size_t i = 0; i < inputs.profiles.size() && words.size() > 1; ++i) {
    if (!inputs.profiles[i].architectures.empty()) continue;
    std::fprintf(stderr, "portcullis profile: %s lists no architectures: taken for those of the other profile\n",
                 words[i].c_str());
  }
  return inputs;
}

// How many profiles a verb takes, in the words of its help and of its error.
struct Arity {
  size_t least;
  size_t most;
  const char* argument;
  const char* help;
  const char* wanted;
};
constexpr Arity kOne{1, 1, "profile", "file, - or library name", "one profile"};
constexpr Arity kTwo{2, 2, "profiles", "two files, - or library names", "two profiles"};
constexpr Arity kTwoOrMore{2, SIZE_MAX, "profiles", "two or more files, - or library names", "two profiles or more"};

// Reads the profiles that `args` name and runs the verb on them; `run` returns the exit code.
int WithProfiles(CommandLine& line, const std::vector<std::string>& args, const Arity& arity,
                 const std::function<Result<int>(const Inputs&)>& run) {
  std::vector<std::string> operands;
  ResolveWords words;
  AddResolveFlags(line, &words);
  line.Positional(arity.argument, &operands, arity.help, true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (operands.size() < arity.least || operands.size() > arity.most) {
    return ReportProfileError(
        {.code = Code::kInvalidArgument, .message = fmt::format("want {}: files, - or library names", arity.wanted)});
  }
  const auto inputs = ReadInputs(operands, words);
  if (!inputs) return ReportProfileError(inputs.error());
  const auto exit_code = run(*inputs);
  return exit_code ? *exit_code : ReportProfileError(exit_code.error());
}

int Print(const seccomp::ResolvedProfile& profile) {
  PrintJson(seccomp::ToJson(profile));
  return 0;
}

using Operation = Result<seccomp::ResolvedProfile> (*)(const seccomp::ResolvedProfile&, const seccomp::ResolvedProfile&,
                                                       syscalls::Arch);

// From the first profile on, each of the others is put to the result so far.
int Fold(const std::vector<std::string>& args, const char* name, const char* help, Operation operation) {
  CommandLine line(name, help);
  return WithProfiles(line, args, kTwoOrMore, [operation](const Inputs& inputs) -> Result<int> {
    seccomp::ResolvedProfile result = inputs.profiles[0];
    for (size_t i = 1; i < inputs.profiles.size(); ++i) {
      ASSIGN_OR_RETURN(result, operation(result, inputs.profiles[i], inputs.native));
    }
    return Print(result);
  });
}

Result<int> PrintIntersection(const Inputs& inputs) {
  const auto result = algebra::IntersectOrStack(inputs.profiles[0], inputs.profiles[1], inputs.native);
  if (result.profiles.size() == 1) return Print(result.profiles[0]);
  std::fprintf(stderr, "portcullis profile: two filters are needed, installed in this order: %s\n", result.why.c_str());
  nlohmann::json list = nlohmann::json::array();
  for (const seccomp::ResolvedProfile& profile : result.profiles) list.push_back(seccomp::ToJson(profile));
  PrintJson(list);
  return 0;
}

Result<int> PrintSubset(const Inputs& inputs, bool as_written, bool as_json) {
  ASSIGN_OR_RETURN(const algebra::SubsetVerdict verdict,
                   algebra::IsSubset(inputs.profiles[0], inputs.profiles[1],
                                     {.native = inputs.native, .newer = NewerOf(as_written)}));
  const char* first = inputs.words[0].c_str();
  const char* second = inputs.words[1].c_str();
  if (as_json) {
    PrintJson(DifferencesToJson(verdict.beyond));
  } else if (verdict.subset) {
    std::printf("%s permits nothing that %s does not\n", first, second);
  } else {
    std::printf("%s permits more than %s (its answer -> the other's):\n", first, second);
    std::fputs(DifferencesToText(verdict.beyond).c_str(), stdout);
  }
  return verdict.subset ? 0 : 1;
}

}  // namespace

int ProfileMergeMain(const std::vector<std::string>& args) {
  return Fold(
      args, "portcullis profile merge",
      "Prints the profile that permits what any of the profiles permits (their union), exact for every argument. "
      "Where all deny, the first one's errno holds.",
      algebra::Union);
}

int ProfileSubtractMain(const std::vector<std::string>& args) {
  return Fold(args, "portcullis profile subtract",
              "Prints what the first profile permits and the others do not; all else gets EPERM.", algebra::Subtract);
}

int ProfileIntersectMain(const std::vector<std::string>& args) {
  CommandLine line("portcullis profile intersect",
                   "Prints the profile that permits what both profiles permit. Where no single profile can say that, a "
                   "list of two, to be installed one after the other.");
  return WithProfiles(line, args, kTwo, PrintIntersection);
}

int ProfileMinimiseMain(const std::vector<std::string>& args) {
  CommandLine line("portcullis profile minimise",
                   "Prints an equal profile without rules that never decide, equal calls in one rule.");
  return WithProfiles(line, args, kOne, [](const Inputs& inputs) -> Result<int> {
    ASSIGN_OR_RETURN(const seccomp::ResolvedProfile result, algebra::Minimise(inputs.profiles[0], inputs.native));
    return Print(result);
  });
}

int ProfileSubsetMain(const std::vector<std::string>& args) {
  bool as_json = false;
  bool as_written = false;
  CommandLine line(
      "portcullis profile subset",
      "Tells whether the first profile permits nothing that the second does not. Exit code 0: so it is, 1: "
      "it permits more, and where; 2: error.");
  line.Bool("--json", &as_json, "print JSON");
  AddAsWrittenFlag(line, &as_written);
  return WithProfiles(line, args, kTwo, [&](const Inputs& inputs) { return PrintSubset(inputs, as_written, as_json); });
}

int ProfileLogTwinMain(const std::vector<std::string>& args) {
  CommandLine line(
      "portcullis profile log-twin",
      "Prints the profile that logs what this one denies, for a trial run (kernel 4.14). Rules that answer "
      "ENOSYS on purpose stay; they are told on standard error.");
  return WithProfiles(line, args, kOne, [](const Inputs& inputs) -> Result<int> {
    ASSIGN_OR_RETURN(const algebra::LogTwinResult twin, algebra::LogTwin(inputs.profiles[0], inputs.native));
    for (const std::string& kept : twin.kept) std::fprintf(stderr, "kept as it is: %s\n", kept.c_str());
    return Print(twin.profile);
  });
}

}  // namespace portcullis::cli
