// What reading a trace lost or could not see: counted on the way, told in words at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "insight/evidence/evidence.h"

namespace portcullis::insight {

struct StraceGaps {
  uint64_t damaged = 0;             // lines
  uint64_t headless = 0;            // results of calls whose beginning is missing
  uint64_t unknown = 0;             // calls
  uint64_t unread = 0;              // arguments that default profiles test
  uint64_t not_followed = 0;        // processes
  uint64_t ambiguous = 0;           // 32-bit calls that may have been another's subcall
  uint64_t too_many = 0;            // lines of processes beyond the limit
  uint64_t killed_unknown = 0;      // processes that a filter killed, nothing shows in which call
  uint64_t running = 0;             // processes, when strace ended
  uint64_t undecided_programs = 0;  // taken to be of the machine's own mode
  // One of each, for people.
  std::string an_unknown;
  std::string an_unread;
  std::string an_unread_other;
  bool saw_ambiguous_errno = false;
  bool saw_summary = false;

  void AddUnknown(std::string_view name, uint64_t calls = 1);
  void Tell(Completeness& completeness) const;
};

}  // namespace portcullis::insight
