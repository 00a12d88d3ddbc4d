// portcullis profile delta.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/strings.h"
#include "base/try.h"
#include "cli/profile_verbs.h"
#include "engine/algebra/delta.h"
#include "engine/seccomp/check.h"

namespace portcullis::cli {
namespace {

struct DeltaFlags {
  ResolveWords words;
  std::string base;
  std::string format = "oci";
};

Result<void> TellSuperfluous(const seccomp::ResolvedProfile& base, const algebra::Delta& delta, const Operand& operand,
                             syscalls::Arch native) {
  ASSIGN_OR_RETURN(const auto superfluous, algebra::Superfluous(base, delta, native));
  for (const std::string& entry : superfluous) {
    std::fprintf(stderr, "no longer needed, %s answers so already: %s\n", operand.name.c_str(), entry.c_str());
  }
  return {};
}

Result<nlohmann::json> ApplyDelta(const std::string& file, const DeltaFlags& flags) {
  ASSIGN_OR_RETURN(const std::string text, ReadOperandText(file));
  ASSIGN_OR_RETURN(const algebra::Delta delta, algebra::ParseDelta(text, file));
  const std::string& base_name = flags.base.empty() ? delta.base : flags.base;
  if (base_name.empty()) {
    return Fail(Code::kInvalidArgument, "{} names no base: give one with --base (containerd@2.2)", file);
  }
  ASSIGN_OR_RETURN(const Operand operand, ReadOperand(base_name));
  ASSIGN_OR_RETURN(const seccomp::ResolveContext context, ToContext(flags.words, operand));
  ASSIGN_OR_RETURN(const seccomp::ResolvedProfile base, ResolveOperand(operand, context));
  TRY(TellSuperfluous(base, delta, operand, context.host));
  if (flags.format == "docker") {
    auto profile = algebra::ApplyToProfile(operand.profile, delta, context.flavour);
    if (!profile) return Wrap(profile.error(), "{} on {}", file, operand.name);
    return seccomp::ToJson(*profile);
  }
  auto profile = algebra::Apply(base, delta, context.host);
  if (!profile) return Wrap(profile.error(), "{} on {}", file, operand.name);
  return seccomp::ToJson(*profile);
}

}  // namespace

int ProfileDeltaMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  DeltaFlags flags;
  CommandLine line("portcullis profile delta",
                   "Prints the complete profile that a delta (base, allow, deny; YAML or JSON) makes of its base.");
  AddResolveFlags(line, &flags.words);
  line.Text("--base", &flags.base, "another base than the one that the delta names: rebases it");
  line.Text(
      "--format", &flags.format,
      "oci: for one kind of container (--caps ...), as every runtime reads it; docker: with the base's conditions");
  line.Positional("delta", &operands, "file or -", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (operands.size() != 1) {
    return ReportProfileError({.code = Code::kInvalidArgument, .message = "want one delta: a file or -"});
  }
  if (flags.format != "oci" && flags.format != "docker") {
    return ReportProfileError(
        {.code = Code::kInvalidArgument, .message = "--format: want oci or docker, not " + base::Quote(flags.format)});
  }
  const auto profile = ApplyDelta(operands[0], flags);
  if (!profile) return ReportProfileError(profile.error());
  PrintJson(*profile);
  return 0;
}

}  // namespace portcullis::cli
