// portcullis profile lint.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "cli/profile/sarif.h"
#include "cli/profile_verbs.h"
#include "engine/algebra/lint.h"
#include "engine/filter/compile.h"
#include "engine/seccomp/check.h"

namespace portcullis::cli {
namespace {

void Append(Diagnostics& all, Diagnostics more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

Result<Diagnostics> Lint(const std::string& word, const std::string& base, const ResolveWords& words) {
  ASSIGN_OR_RETURN(Operand operand, ReadOperand(word, seccomp::ParseMode::kLenient));
  Diagnostics findings = std::move(operand.diagnostics);
  // A default profile of the library is built into its runtime: no other runtime reads it as a file.
  const bool is_file = operand.flavour == seccomp::Flavour::kPortcullis;
  if (is_file) Append(findings, seccomp::LintPortability(operand.profile, operand.name));
  ASSIGN_OR_RETURN(const seccomp::ResolveContext context, ToContext(words, operand));
  ASSIGN_OR_RETURN(const seccomp::ResolvedProfile resolved, ResolveOperand(operand, context));
  Append(findings, seccomp::LintForLibseccomp(resolved, operand.name));
  // Of a library profile these are decisions of its authors, not mistakes.
  if (is_file) Append(findings, algebra::LintAnswers(resolved, operand.name, context.host));
  if (!base.empty()) {
    ASSIGN_OR_RETURN(const Operand base_operand, ReadOperand(base));
    ASSIGN_OR_RETURN(const seccomp::ResolvedProfile base_profile, ResolveOperand(base_operand, words));
    ASSIGN_OR_RETURN(Diagnostics weaker,
                     algebra::LintAgainst(resolved, operand.name, base_profile, base_operand.name, context.host));
    Append(findings, std::move(weaker));
  }
  const auto filter = filter::Compile(resolved, {.native = context.host});
  if (!filter) {
    findings.push_back({.severity = Severity::kError,
                        .file = operand.name,
                        .line = 0,
                        .column = 0,
                        .field = "",
                        .message = filter.error().message,
                        .hint = ""});
  }
  return findings;
}

}  // namespace

int ProfileLintMain(const std::vector<std::string>& args) {
  std::vector<std::string> operands;
  ResolveWords words;
  std::string format = "text";
  std::string base;
  CommandLine line(
      "portcullis profile lint",
      "Tells what will surprise about a profile: what other runtimes read differently, and what libseccomp "
      "makes of it.");
  AddResolveFlags(line, &words);
  line.Text("--base", &base, "also tell in which calls a profile is weaker than this one (containerd)");
  line.Text("--format", &format, "text, json or sarif");
  line.Positional("profile", &operands, "files, - or library names", true);
  if (const auto exit_code = line.Parse(args)) return *exit_code == 0 ? 0 : kProfileError;
  if (format != "text" && format != "json" && format != "sarif") {
    return ReportProfileError(
        {.code = Code::kInvalidArgument, .message = "--format: want text, json or sarif, not \"" + format + "\""});
  }
  Diagnostics findings;
  for (const std::string& operand : operands) {
    auto found = Lint(operand, base, words);
    if (!found) return ReportProfileError(found.error());
    Append(findings, *std::move(found));
  }
  if (format == "sarif") {
    PrintJson(ToSarif(findings, PORTCULLIS_VERSION));
  } else if (format == "json") {
    PrintJson(ToJson(findings));
  } else {
    for (const Diagnostic& finding : findings) std::puts(FormatDiagnostic(finding).c_str());
    if (findings.empty()) std::puts("nothing found");
  }
  return findings.empty() ? 0 : 1;
}

}  // namespace portcullis::cli
