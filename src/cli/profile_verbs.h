// The words behind `portcullis profile`, one function each; `args` are the words behind the verb. Each returns the exit
// code: 0, 1 (a difference, a finding, a refusal) or 2 (an error).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command_line.h"
#include "cli/profile/operand.h"
#include "engine/filter/behaviour.h"

namespace portcullis::cli {

int ProfileListMain(const std::vector<std::string>& args);
int ProfileShowMain(const std::vector<std::string>& args);
int ProfileResolveMain(const std::vector<std::string>& args);
int ProfileCompileMain(const std::vector<std::string>& args);
int ProfileEvalMain(const std::vector<std::string>& args);
int ProfileProveMain(const std::vector<std::string>& args);
int ProfileLintMain(const std::vector<std::string>& args);
int ProfileDiffMain(const std::vector<std::string>& args);
int ProfileMergeMain(const std::vector<std::string>& args);
int ProfileIntersectMain(const std::vector<std::string>& args);
int ProfileSubtractMain(const std::vector<std::string>& args);
int ProfileSubsetMain(const std::vector<std::string>& args);
int ProfileMinimiseMain(const std::vector<std::string>& args);
int ProfileLogTwinMain(const std::vector<std::string>& args);
int ProfileInspectMain(const std::vector<std::string>& args);
int ProfileFromEvidenceMain(const std::vector<std::string>& args);
int ProfileDeltaMain(const std::vector<std::string>& args);

inline constexpr int kProfileError = 2;

// Prints "portcullis profile: <message>" and returns kProfileError.
int ReportProfileError(const Error& error);

// Indented, on standard output. Bytes that are no UTF-8, as a file's name may have, are replaced.
void PrintJson(const nlohmann::json& json);

// The flags --caps, --arch, --kernel and --flavour.
void AddResolveFlags(CommandLine& line, ResolveWords* words);

// The flag --as-written, and what it means for the filter.
void AddAsWrittenFlag(CommandLine& line, bool* as_written);
filter::NewerSyscalls NewerOf(bool as_written);

// The one profile that `operands` must name.
Result<Operand> ReadOnlyOperand(const std::vector<std::string>& operands);

}  // namespace portcullis::cli
