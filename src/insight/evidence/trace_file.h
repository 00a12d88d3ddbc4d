// Evidence on disk: JSON lines, compressed with gzip when the name ends in .gz; docs/evidence.md describes the format.
//
//   {"portcullisTrace":1,"source":"audit-log"}
//   {"workload":0,"namespace":"default","pod":"web","container":"nginx"}
//   {"workload":0,"arch":"SCMP_ARCH_X86_64","syscall":"mount","number":165,"result":"errno","count":3,…}
//   {"end":{"losses":[…],"unseen":[…]}}
//
// A reader takes version 1 only, and a file without its last line is read as cut off. Files are written beside their
// name and renamed. Bad input is an error with file, line and field.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "insight/evidence/evidence.h"

namespace portcullis::insight {

inline constexpr int kTraceVersion = 1;

// "-" is standard output, and standard input.
Result<void> WriteTrace(const Evidence& evidence, const std::string& path);
// `progress` is told now and then how many bytes of the file, as stored, have been read; may be empty.
Result<Evidence> ReadTrace(const std::string& path, const std::function<void(uint64_t)>& progress = {});

// The same, of text in memory; `name` is for errors.
std::string FormatTrace(const Evidence& evidence);
Result<Evidence> ParseTrace(std::string_view text, const std::string& name);

}  // namespace portcullis::insight
