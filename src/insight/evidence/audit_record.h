// One seccomp record of the audit system, whatever carried it: audit.log, syslog, the journal, dmesg, the netlink
// socket.
//
//   type=SECCOMP msg=audit(1613596317.899:6461): auid=1000 uid=0 gid=0 ses=2 pid=17 comm="curl" exe="/usr/bin/curl"
//     sig=0 arch=c000003e syscall=101 compat=0 ip=0x7f1b code=0x50000
//
// Pure. Sources: audit_seccomp and audit_log_untrustedstring in the kernel's kernel/auditsc.c and kernel/audit.c; the
// carriers' own prefixes as auditd, rsyslog, journald and printk write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::insight {

// AUDIT_SECCOMP of linux/audit.h.
inline constexpr int kAuditSeccomp = 1326;

struct AuditRecord {
  int64_t time_unix_nanos = 0;  // 0 where the carrier leaves it out (the journal's text)
  uint64_t serial = 0;          // of the audit event; 0 likewise
  uint32_t pid = 0;             // thread group, in the initial pid namespace
  uint32_t uid = 0;
  std::string_view comm;  // as in the record, see DecodeAuditString
  std::string_view exe;   // likewise; as the process's root sees it
  uint32_t arch = 0;      // AUDIT_ARCH_*
  uint32_t number = 0;    // x32 numbers with bit 30
  int32_t signal = 0;
  bool compat = false;
  uint64_t ip = 0;
  uint32_t code = 0;  // SECCOMP_RET_* without data: the errno is not in the record
};

// A mark that one of our own programs left among the records (insight/live/audit_mark.h): a logged call of a number
// that no call has. Readers of logs leave marks out.
inline constexpr uint32_t kAuditMarks = 0x2f000000;  // with 24 bits that tell them apart
bool IsAuditMark(const AuditRecord& record);

enum class LineKind {
  kOther,      // nothing of seccomp
  kRecord,     // parsed
  kDamaged,    // a seccomp record that is cut off or lacks a field
  kForeign,    // a record's text in a message that neither kernel nor audit daemon wrote
  kLostCount,  // the kernel, auditd, rsyslog or journald says that it dropped messages
};

struct AuditLine {
  LineKind kind = LineKind::kOther;
  AuditRecord record;           // kRecord; views into the line
  uint64_t lost = 0;            // kLostCount: how many, 0 when the message does not tell
  std::string_view lost_where;  // kLostCount: "printk", "audit", "syslog", "journal"
  bool lost_is_total = false;   // kLostCount: `lost` counts since boot, not since the last message
};

// `line` is without its newline. Never fails: what is not understood is kOther or kDamaged.
AuditLine ParseAuditLine(std::string_view line);

// The payload of a netlink message of type kAuditSeccomp, marks too: "audit(1613596317.899:6461): auid=…".
std::optional<AuditRecord> ParseAuditPayload(std::string_view payload);

// `"curl"` -> curl; `6D79202261707022` -> my "app"; `(null)` -> "". The value as it stands where it is neither.
std::string DecodeAuditString(std::string_view value);

}  // namespace portcullis::insight
