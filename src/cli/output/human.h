// Durations and sizes in the words that crictl and docker use (the wording of Go's docker/go-units).
#pragma once

#include <cstdint>
#include <string>

namespace portcullis::cli {

// "Less than a second", "1 second", "47 seconds", "About a minute", "5 minutes", "About an hour", "3 hours", "2 days",
// "3 weeks", "4 months", "2 years". A negative duration (clocks differ) reads as less than a second.
std::string HumanDuration(int64_t nanoseconds);

// How long ago a moment was: "5 minutes ago". Both in Unix nanoseconds.
std::string HumanAgo(int64_t then, int64_t now);

// Decimal units with `digits` significant digits: HumanSize(6599469, 3) == "6.6MB", HumanSize(306598, 3) == "307kB".
std::string HumanSize(double bytes, int digits = 4);

}  // namespace portcullis::cli
