// Evidence for people: distinct calls, the most frequent first, and what is missing from it.
//
//   COUNT   RESULT   ARCH       SYSCALL   EXECUTABLE        LAST SEEN
//   293     errno    x86_64     mount     /usr/bin/mount    2026-11-24T12:00:00Z
//
//   INCOMPLETE: 293 messages lost (printk: …)
//   not visible to this source: arguments
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "insight/evidence/evidence.h"

namespace portcullis::cli {

struct EvidenceTableOptions {
  size_t max_rows = 0;       // 0: all
  bool denied_only = false;  // only calls that were denied or logged
};

std::string EvidenceTable(const insight::Evidence& evidence, const EvidenceTableOptions& options);
// "INCOMPLETE: …" and "not visible to this source: …", a line each; "" when nothing is to be said.
std::string CompletenessText(const insight::Evidence& evidence);
// "mount", "syscall_9999" where no name is known; "arch" as "x86_64", hexadecimal likewise.
std::string SyscallText(uint32_t audit_arch, uint32_t number);
// With its arguments as far as they are known: "socket(AF_ALG, SOCK_SEQPACKET, 0)".
std::string CallText(const insight::Call& call);
std::string ArchText(uint32_t audit_arch, uint32_t number);

}  // namespace portcullis::cli
