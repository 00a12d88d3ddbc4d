// What a verb works with: the runtime, where to print, and the clock. Tests give a fake runtime and string streams.
#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>

#include "base/clock.h"
#include "cri/runtime_api.h"

namespace portcullis::cli {

struct Session {
  cri::RuntimeApi& runtime;
  std::ostream& out;
  std::ostream& err;
  std::function<int64_t()> now = base::NowUnixNanos;
  // Waits; false when the user has interrupted and the verb should end.
  std::function<bool(std::chrono::milliseconds)> pause;
};

}  // namespace portcullis::cli
