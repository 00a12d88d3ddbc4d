// Time as Kubernetes, CRI and OCI write it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::base {

int64_t NowUnixNanos();                       // CLOCK_REALTIME
std::chrono::steady_clock::time_point Now();  // for deadlines

// 1795465559392865529 -> "2026-11-23T20:25:59.392865529Z" (RFC 3339, trailing zeros kept off as Go does).
std::string FormatRfc3339Nano(int64_t unix_nanos);
// Whole seconds, as Kubernetes' metav1.Time: "2026-11-23T20:25:59Z".
std::string FormatRfc3339(int64_t unix_nanos);
// Also nullopt: a time that 64 bits of nanoseconds cannot hold (before 1678, after 2261).
std::optional<int64_t> ParseRfc3339(std::string_view text);

// Go's time.ParseDuration and metav1.Duration: "1m30s", "500ms", "0"; nullopt if malformed.
std::optional<std::chrono::nanoseconds> ParseGoDuration(std::string_view text);
// Go's Duration.String(): "1m0s", "1.5s", "0s".
std::string FormatGoDuration(std::chrono::nanoseconds duration);

}  // namespace portcullis::base
