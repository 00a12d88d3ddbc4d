// Waiting that ends early when the program does.
#pragma once

#include <chrono>
#include <stop_token>

#include "base/result.h"

namespace portcullis::runtime {

// kCancelled when `stop` is requested before the time is over.
Result<void> SleepFor(std::chrono::milliseconds time, const std::stop_token& stop);

}  // namespace portcullis::runtime
