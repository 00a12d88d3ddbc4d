// The recorder where eBPF is not to be had: ptrace(2) with a seccomp filter that stops the command at each call.
//
//   ASSIGN_OR_RETURN(PtraceOutcome outcome, RecordByPtrace({"make", "check"}, {}));
//
// The same evidence as EbpfRecorder gives, at the price of two stops a call (three once the command is under a filter
// of its own: then the stop at the call's entry, without one from our filter, tells that another filter denied it).
// Needs Linux 5.3. Commands only. Blocks until the command ends; in a process with one thread and no other children.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "insight/evidence/evidence.h"

namespace portcullis::insight {

struct PtraceOptions {
  std::chrono::nanoseconds time{0};  // 0: to the command's end; later calls are not recorded
  std::chrono::nanoseconds init_limit{std::chrono::seconds(10)};
};

struct PtraceOutcome {
  Evidence evidence;
  int command_status = 0;        // as a shell tells it
  std::optional<Error> not_run;  // why the command could not be run
};

Result<PtraceOutcome> RecordByPtrace(const std::vector<std::string>& argv, const PtraceOptions& options);

}  // namespace portcullis::insight
