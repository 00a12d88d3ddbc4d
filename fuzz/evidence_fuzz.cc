// The readers of logs, strace's output and traces. First byte modulo 4: 0 and 2, a log in two pieces; 1, a trace, which
// must survive being written; 3, strace's output, which must give the same in one piece and in two.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "insight/evidence/audit_log.h"
#include "insight/evidence/cgroup_path.h"
#include "insight/evidence/strace_reader.h"
#include "insight/evidence/trace_file.h"

using namespace portcullis::insight;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    AuditLogReader reader;
    reader.Feed(text.substr(0, text.size() / 2));
    reader.Feed(text.substr(text.size() / 2));
    reader.EndFile();
    const uint64_t records = reader.counts().records;
    uint64_t counted = 0;
    const Evidence evidence = reader.Take();
    for (const auto& [call, facts] : evidence.calls()) counted += facts.count;
    if (counted != records) std::abort();
    (void)OwnerOfCgroupFile(text);
    return 0;
  }
  if (data[0] % 4 == 3) {
    std::string first;
    for (const size_t piece : {text.size(), text.size() / 2}) {
      StraceReader reader({.arch = portcullis::syscalls::Arch::kX86_64});
      reader.BeginFile(0);
      reader.Feed(text.substr(0, piece));
      reader.Feed(text.substr(piece));
      reader.EndFile();
      const Evidence evidence = reader.Take();
      const uint64_t calls = reader.counts().calls;
      uint64_t counted = 0;
      for (const auto& [call, facts] : evidence.calls()) counted += facts.count;
      // What is not in the evidence is told as lost.
      if (counted > calls || (counted < calls && evidence.IsComplete())) std::abort();
      const std::string written = FormatTrace(evidence);
      if (!first.empty() && written != first) std::abort();
      first = written;
    }
    return 0;
  }
  const auto evidence = ParseTrace(text, "fuzz");
  if (!evidence) return 0;
  const std::string written = FormatTrace(*evidence);
  const auto again = ParseTrace(written, "again");
  if (!again || FormatTrace(*again) != written) std::abort();
  return 0;
}
