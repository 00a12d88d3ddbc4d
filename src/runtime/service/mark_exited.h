// A container that has ended, or never began, and that nobody told an exit code of.
#pragma once

#include <string>
#include <utility>

#include "base/clock.h"
#include "runtime/service/exit_codes.h"
#include "runtime/store/store.h"

namespace portcullis::runtime {

// `exit_code`, `reason` and `message` are what the CRI shows of it; it ended now.
inline void MarkExited(ContainerRow& row, int exit_code, std::string reason, std::string message) {
  row.step = ContainerStep::kExited;
  row.pid = 0;
  row.exit_code = exit_code;
  row.reason = std::move(reason);
  row.message = std::move(message);
  row.finished_at = base::NowUnixNanos();
}

}  // namespace portcullis::runtime
