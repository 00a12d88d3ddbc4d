// From calls as strace writes them to evidence: which mode the program runs in, what the call was to the kernel, what a
// filter answered, and who made it.
//
// A call is held until the next line of its process, which may change it: SIGSYS, death, a stack trace. With -o, strace
// leaves out the lines that tell of 32-bit programs: a program's calls wait until one of them shows its mode.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/syscalls/arch.h"
#include "insight/evidence/evidence.h"
#include "insight/evidence/strace_call.h"
#include "insight/evidence/strace_gaps.h"
#include "insight/evidence/strace_line.h"
#include "insight/evidence/strace_tree.h"

namespace portcullis::insight {

class StraceCalls {
 public:
  // All three outlive it.
  StraceCalls(syscalls::Arch native, StraceTree& tree, Evidence& evidence, StraceGaps& gaps)
      : native_(native), tree_(tree), evidence_(evidence), gaps_(gaps) {}

  // Lines of `process`, by their kind.
  void TakeCall(StraceProcess& process, const StraceLine& line);
  void TakeUnfinished(StraceProcess& process, const StraceLine& line);
  void TakeResumed(StraceProcess& process, const StraceLine& line);
  void TakeFrame(StraceProcess& process, std::string_view frame);
  void TakeSigsys(StraceProcess& process, const StraceLine& line);
  void TakeKilledBySigsys(StraceProcess& process);
  void TakeMode(StraceProcess& process, std::string_view mode);
  // Any other line: what is held is as it was.
  void Flush(StraceProcess& process);
  // The process has ended, or the trace has.
  void Finish(StraceProcess& process);
  // After the last process has been finished.
  void EndTrace();

  bool trace_has_calls() const { return trace_has_calls_; }
  uint64_t calls() const { return calls_; }

 private:
  void Take(StraceProcess& process, StraceCallText call);
  void TakeDecided(StraceProcess& process, const StraceCallText& text);
  void Decide(StraceProcess& process);
  void Replay(StraceProcess& process);
  void EndPending(StraceProcess& process);
  void AddUnseenTrap(const StraceProcess& process, const StraceNumber& number, const StraceLine& line);

  syscalls::Arch native_;
  StraceTree& tree_;
  Evidence& evidence_;
  StraceGaps& gaps_;
  uint64_t calls_ = 0;
  // Of a trace.
  std::optional<size_t> workload_;
  bool trace_has_calls_ = false;
  bool killed_known_ = false;
  uint64_t killed_elsewhere_ = 0;
};

}  // namespace portcullis::insight
