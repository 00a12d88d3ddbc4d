// Tells from the serial numbers of audit events how many never came. Every event has the next number; several records
// may have the same, and processors may overtake each other by some.
//
//   SerialGaps gaps;
//   for (…) gaps.Seen(record.serial);
//   gaps.Missing();      // how many numbers between the first and the last have not been seen
//
// Pure. Source: audit_serial in the kernel's kernel/audit.c.
#pragma once

#include <cstdint>
#include <set>

namespace portcullis::insight {

class SerialGaps {
 public:
  // More numbers missing at a time than this are counted and not waited for any more.
  static constexpr size_t kMaxOpen = 1u << 16;

  void Seen(uint64_t serial);
  uint64_t Missing() const { return given_up_ + open_.size(); }

 private:
  uint64_t highest_ = 0;
  std::set<uint64_t> open_;  // below highest_, not seen yet
  uint64_t given_up_ = 0;
};

}  // namespace portcullis::insight
