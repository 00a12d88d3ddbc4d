// The tables of strace -c and -C, line by line, with the columns that -U chooses, one for each mode that programs ran
// in:
//
//   % time     seconds  usecs/call     calls    errors syscall
//   ------ ----------- ----------- --------- --------- ----------------
//     0.00    0.000000           0         5         2 unshare              -> {"unshare", 5, 2}
//   ------ ----------- ----------- --------- --------- ----------------
//   100.00    0.000004           0         6         2 total
//   System call usage summary for 32 bit mode:
//
// Pure. Source: strace's count.c and its manual page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/syscalls/arch.h"
#include "insight/evidence/strace_line.h"

namespace portcullis::insight {

class StraceSummary {
 public:
  struct Row {
    std::string name;
    uint64_t calls = 0;
    uint64_t errors = 0;  // of the calls
  };
  struct Rule {};     // a line between rows, or the title's
  struct Damaged {};  // no row that belongs to the columns
  struct Over {};     // the table has ended before this line
  using Taken = std::variant<Row, Rule, Damaged, Over>;

  // `native`: whose calls are those of a table without a mode.
  explicit StraceSummary(syscalls::Arch native) : native_(native), arch_(native) {}

  void BeginFile();
  // A line of StraceKind::kSummary. False: of a mode that is not known.
  bool TakeTitle(const StraceLine& line, std::string_view text);
  bool in_table() const { return place_ != Place::kNone; }
  // While in_table: the next line.
  Taken TakeLine(std::string_view text);
  // Of the table's calls.
  syscalls::Arch arch() const { return arch_; }

 private:
  enum class Place { kNone, kTitle, kRows, kTotal };

  syscalls::Arch native_;
  syscalls::Arch arch_;
  Place place_ = Place::kNone;
  std::vector<std::string> columns_;
};

}  // namespace portcullis::insight
