// The moments that `logs --since` takes.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace portcullis::cli {

// Unix nanoseconds of "42m" (that long before `now`), "2013-01-02T13:23:37Z", "2013-01-02T13:23:37" and "2013-01-02"
// (local time), or "1136073600.000000001" (Unix seconds).
Result<int64_t> ParseSince(const std::string& text, int64_t now);

}  // namespace portcullis::cli
