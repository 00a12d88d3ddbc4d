// The verbs of `portcullis`, one file each; `args` are the words behind the verb. Each returns the process's exit code.
#pragma once

#include <string>
#include <vector>

namespace portcullis::cli {

int NodeMain(const std::vector<std::string>& args);
int RuntimeMain(const std::vector<std::string>& args);
int ImageMain(const std::vector<std::string>& args);
int PreflightMain(const std::vector<std::string>& args);
int EvidenceMain(const std::vector<std::string>& args);
int RecordMain(const std::vector<std::string>& args);
int ProfileMain(const std::vector<std::string>& args);
int TryMain(const std::vector<std::string>& args);
int TolerateMain(const std::vector<std::string>& args);
int UnderFilterVerb(const std::vector<std::string>& args);  // what those two start their command through
int DrainMain(const std::vector<std::string>& args);
int UncordonMain(const std::vector<std::string>& args);
int CompletionMain(const std::vector<std::string>& args);
int CompleteMain(const std::vector<std::string>& words);

// crictl and status parse argv themselves: argv[0] is the verb's name.
int CrictlMain(int argc, char** argv);
int StatusMain(int argc, char** argv);

}  // namespace portcullis::cli
