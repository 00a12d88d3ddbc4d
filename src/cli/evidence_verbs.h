// The words behind `portcullis evidence` that have flags of their own; `args` are the words behind the verb.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command_line.h"
#include "insight/evidence/evidence.h"
#include "insight/preflight/target.h"

namespace portcullis::cli {

// The exit codes of `portcullis evidence`.
inline constexpr int kEvidenceIncomplete = 1;
inline constexpr int kEvidenceError = 2;

int EvidenceWatchMain(const std::vector<std::string>& args);
int EvidenceHostMain(const std::vector<std::string>& args);

// Prints "portcullis evidence: <message>" and returns kEvidenceError.
int ReportEvidenceError(const Error& error);

struct EvidenceOutput {
  std::string out;  // a trace's path; "-": standard output, and nothing else
  std::string format = "table";
  bool denied_only = false;
  std::optional<insight::Target> under;  // explain each denial by this profile, instead of the table
  std::vector<std::string> traces;       // where the evidence was read from, when these are traces
  int rows = 0;
};
void AddUnderFlag(CommandLine& line, EvidenceOutput* output);
// Writes the trace and prints the table, or what --under asks for. The exit code.
Result<int> FinishEvidence(const insight::Evidence& evidence, const EvidenceOutput& output);

}  // namespace portcullis::cli
