// The readers of logs and traces. First byte even: a log in two pieces; odd: a trace, which must survive being written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "insight/evidence/audit_log.h"
#include "insight/evidence/cgroup_path.h"
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
  const auto evidence = ParseTrace(text, "fuzz");
  if (!evidence) return 0;
  const std::string written = FormatTrace(*evidence);
  const auto again = ParseTrace(written, "again");
  if (!again || FormatTrace(*again) != written) std::abort();
  return 0;
}
