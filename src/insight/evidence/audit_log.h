// Evidence from files that hold audit records: audit.log, syslog, kern.log, `journalctl` and `dmesg` output, plain or
// compressed (gzip, zstd, xz, bzip2), rotated or not.
//
//   AuditLogReader reader;
//   TRY(reader.Read("/var/log/audit/audit.log.2.gz"));
//   TRY(reader.Read("/var/log/audit/audit.log"));
//   Evidence evidence = reader.Take();
//
// Files are streamed: memory does not grow with their size, only with the number of distinct calls. Whoever can write a
// line into syslog can imitate a record; lines that neither kernel nor audit daemon wrote are counted, not believed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "insight/evidence/evidence.h"

namespace portcullis::insight {

struct AuditLogCounts {
  uint64_t bytes = 0;  // uncompressed
  uint64_t lines = 0;
  uint64_t records = 0;
  uint64_t damaged = 0;    // records that are cut off, and lines over the limit
  uint64_t foreign = 0;    // imitations
  uint64_t journal = 0;    // entries of a journal export
  uint64_t unstamped = 0;  // records without a time
};

class AuditLogReader {
 public:
  AuditLogReader();
  ~AuditLogReader();

  // "-" is standard input. `progress` is told the bytes read of the file (as stored), now and then; may be empty.
  Result<void> Read(const std::string& path, const std::function<void(uint64_t)>& progress = {});
  // The text of one file in pieces of any size, as Read feeds it; EndFile after the last piece.
  void Feed(std::string_view piece);
  void EndFile();

  const AuditLogCounts& counts() const;
  // What was found; the reader is empty afterwards.
  Evidence Take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::insight
