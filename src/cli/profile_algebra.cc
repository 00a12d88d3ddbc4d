// portcullis profile merge, intersect, subtract, minimise, subset, log-twin.
#include <cstdio>
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
  std::vector<seccomp::ResolvedProfile> profiles;
  syscalls::Arch native = syscalls::NativeArch();
};

Result<Inputs> ReadInputs(const std::vector<std::string>& words, const ResolveWords& resolve) {
  Inputs inputs;
  for (const std::string& word : words) {
    ASSIGN_OR_RETURN(const Operand operand, ReadOperand(word));
    ASSIGN_OR_RETURN(const seccomp::ResolveContext context, ToContext(resolve, operand));
    auto resolved = seccomp::Resolve(operand.profile, context);
    if (!resolved) return Wrap(resolved.error(), "profile {}", operand.name);
    inputs.native = context.host;
    inputs.profiles.push_back(*std::move(resolved));
  }
  // Files mostly say nothing about architectures; that is meant as "the usual ones" and changes what is compared.
  for (size_t i = 0; i < inputs.profiles.size() && words.size() > 1; ++i) {
    if (!inputs.profiles[i].architectures.empty()) continue;
    std::fprintf(stderr, "portcullis profile: %s lists no architectures: taken for those of the other profile\n",
                 words[i].c_str());
  }
  return inputs;
}

int Print(const seccomp::ResolvedProfile& profile) {
  std::puts(seccomp::ToJson(profile).dump(2).c_str());
  return 0;
}

Error WantProfiles(const char* number) {
  return {.code = Code::kInvalidArgument, .message = fmt::format("want {}: files, - or library names", number)};
}

using Operation = Result<seccomp::ResolvedProfile> (*)(const seccomp::ResolvedProfile&, const seccomp::ResolvedProfile&,
                                                       syscalls::Arch);

// From the first profile on, each of the others is put to the result so far.
int Fold(const std::vector<std::string>& args, const char* name, const char* help, Operation operation) {
  std::vector<std::string> operands;
  ResolveWords words;
  CommandLine line(name, help);
  AddResolveFlags(line, &words);
  line.Positional("profiles", &operands, "two or more files, - or library names", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (operands.size() < 2) return ReportProfileError(WantProfiles("two profiles or more"));
  const auto inputs = ReadInputs(operands, words);
  if (!inputs) return ReportProfileError(inputs.error());
  seccomp::ResolvedProfile result = inputs->profiles[0];
  for (size_t i = 1; i < inputs->profiles.size(); ++i) {
    auto next = operation(result, inputs->profiles[i], inputs->native);
    if (!next) return ReportProfileError(next.error());
    result = *std::move(next);
  }
  return Print(result);
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
  std::vector<std::string> operands;
  ResolveWords words;
  CommandLine line("portcullis profile intersect",
                   "Prints the profile that permits what both profiles permit. Where no single profile can say that, a "
                   "list of two, to be installed one after the other.");
  AddResolveFlags(line, &words);
  line.Positional("profiles", &operands, "two files, - or library names", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (operands.size() != 2) return ReportProfileError(WantProfiles("two profiles"));
  const auto inputs = ReadInputs(operands, words);
  if (!inputs) return ReportProfileError(inputs.error());
  const auto result = algebra::IntersectOrStack(inputs->profiles[0], inputs->profiles[1], inputs->native);
  if (result.profiles.size() == 1) return Print(result.profiles[0]);
  std::fprintf(stderr, "portcullis profile: two filters are needed, installed in this order: %s\n", result.why.c_str());
  nlohmann::json list = nlohmann::json::array();
  for (const seccomp::ResolvedProfile& profile : result.profiles) list.push_back(seccomp::ToJson(profile));
  std::puts(list.dump(2).c_str());
  return 0;
}

int ProfileMinimiseMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  ResolveWords words;
  CommandLine line("portcullis profile minimise",
                   "Prints an equal profile without rules that never decide, equal calls in one rule.");
  AddResolveFlags(line, &words);
  line.Positional("profile", &operands, "file, - or library name", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (operands.size() != 1) return ReportProfileError(WantProfiles("one profile"));
  const auto inputs = ReadInputs(operands, words);
  if (!inputs) return ReportProfileError(inputs.error());
  const auto result = algebra::Minimise(inputs->profiles[0], inputs->native);
  return result ? Print(*result) : ReportProfileError(result.error());
}

int ProfileSubsetMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  ResolveWords words;
  bool as_json = false;
  bool as_written = false;
  CommandLine line(
      "portcullis profile subset",
      "Tells whether the first profile permits nothing that the second does not. Exit code 0: so it is, 1: "
      "it permits more, and where; 2: error.");
  AddResolveFlags(line, &words);
  line.Bool("--json", &as_json, "print JSON");
  line.Bool("--as-written", &as_written,
            "calls newer than a profile get its default action (else ENOSYS, as under runc)");
  line.Positional("profiles", &operands, "two files, - or library names", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (operands.size() != 2) return ReportProfileError(WantProfiles("two profiles"));
  const auto inputs = ReadInputs(operands, words);
  if (!inputs) return ReportProfileError(inputs.error());
  const auto newer = as_written ? filter::NewerSyscalls::kAsWritten : filter::NewerSyscalls::kEnosys;
  const auto verdict =
      algebra::IsSubset(inputs->profiles[0], inputs->profiles[1], {.native = inputs->native, .newer = newer});
  if (!verdict) return ReportProfileError(verdict.error());
  if (as_json) {
    std::puts(DifferencesToJson(verdict->beyond).dump(2).c_str());
  } else if (verdict->subset) {
    std::printf("%s permits nothing that %s does not\n", operands[0].c_str(), operands[1].c_str());
  } else {
    std::printf("%s permits more than %s (its answer -> the other's):\n", operands[0].c_str(), operands[1].c_str());
    std::fputs(DifferencesToText(verdict->beyond).c_str(), stdout);
  }
  return verdict->subset ? 0 : 1;
}

int ProfileLogTwinMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  ResolveWords words;
  CommandLine line(
      "portcullis profile log-twin",
      "Prints the profile that logs what this one denies, for a trial run (kernel 4.14). Rules that answer "
      "ENOSYS on purpose stay; they are told on standard error.");
  AddResolveFlags(line, &words);
  line.Positional("profile", &operands, "file, - or library name", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (operands.size() != 1) return ReportProfileError(WantProfiles("one profile"));
  const auto inputs = ReadInputs(operands, words);
  if (!inputs) return ReportProfileError(inputs.error());
  const auto twin = algebra::LogTwin(inputs->profiles[0], inputs->native);
  if (!twin) return ReportProfileError(twin.error());
  for (const std::string& kept : twin->kept) std::fprintf(stderr, "kept as it is: %s\n", kept.c_str());
  return Print(twin->profile);
}

}  // namespace portcullis::cli
