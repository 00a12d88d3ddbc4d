// The words behind `portcullis evidence` that have flags of their own; `args` are the words behind the verb.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "insight/evidence/evidence.h"

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
  int rows = 0;
};
// Writes the trace and prints the table. The exit code.
Result<int> FinishEvidence(const insight::Evidence& evidence, const EvidenceOutput& output);

}  // namespace portcullis::cli
