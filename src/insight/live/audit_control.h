// The kernel's audit system, asked: is it on, what has it lost, which rules hide records.
//
//   ASSIGN_OR_RETURN(const AuditStatus status, ReadAuditStatus());
//   status.lost           // records since boot that nobody got
//
// Needs CAP_AUDIT_CONTROL and the initial user and pid namespaces. Source: linux/audit.h, auditctl(8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace portcullis::insight {

struct AuditStatus {
  uint32_t enabled = 0;     // 0 off, 1 on, 2 on and locked
  uint32_t pid = 0;         // of the audit daemon; 0: none
  uint32_t rate_limit = 0;  // records a second; 0: no limit
  uint32_t backlog_limit = 0;
  uint32_t lost = 0;  // since boot
  uint32_t backlog = 0;
};
Result<AuditStatus> ReadAuditStatus();

// How many were lost from one reading of `lost` to a later one, between which it may have been set to 0 (auditctl
// --reset-lost): then those since.
constexpr uint32_t LostSince(uint32_t before, uint32_t now) { return now < before ? now : now - before; }

// A rule that keeps records from being written (auditctl -a never,exclude): `hides_all` when it has no other condition
// than the record's type.
struct ExcludeRule {
  std::string text;  // as auditctl would write it, as far as it matters here
  bool hides_all = false;
  bool operator==(const ExcludeRule&) const = default;
};
// Those that hide seccomp records.
Result<std::vector<ExcludeRule>> ReadExcludeRules();

// One struct audit_rule_data; nullopt: it hides no seccomp record, or is cut off. Pure.
std::optional<ExcludeRule> HidesSeccomp(std::string_view rule);

}  // namespace portcullis::insight
