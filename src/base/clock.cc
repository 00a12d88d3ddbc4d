#include "base/clock.h"

#include <fmt/core.h>

#include <charconv>
#include <ctime>

namespace portcullis::base {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); }

std::string FormatSeconds(int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int{date.year()}, unsigned{date.month()},
                     unsigned{date.day()}, clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

// Digits of `fraction` (out of `scale`) without trailing zeros, with a leading point; "" for zero.
std::string Fraction(int64_t fraction, int digits) {
  if (fraction == 0) return "";
  std::string text = fmt::format(".{:0{}}", fraction, digits);
  while (text.back() == '0') text.pop_back();
  return text;
}

bool ReadDigits(std::string_view& text, int count, int& out) {
  if (text.size() < static_cast<size_t>(count)) return false;
  out = 0;
  for (int i = 0; i < count; ++i) {
    if (text[0] < '0' || text[0] > '9') return false;
    out = out * 10 + (text[0] - '0');
    text.remove_prefix(1);
  }
  return true;
}

bool ReadChar(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

int64_t NowUnixNanos() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * kNanosPerSecond + now.tv_nsec;
}

std::chrono::steady_clock::time_point Now() { return std::chrono::steady_clock::now(); }

std::string FormatRfc3339Nano(int64_t unix_nanos) {
  const int64_t seconds = FloorDiv(unix_nanos, kNanosPerSecond);
  return FormatSeconds(seconds) + Fraction(unix_nanos - seconds * kNanosPerSecond, 9) + "Z";
}

std::string FormatRfc3339(int64_t unix_nanos) { return FormatSeconds(FloorDiv(unix_nanos, kNanosPerSecond)) + "Z"; }

std::optional<int64_t> ParseRfc3339(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!ReadDigits(text, 4, year) || !ReadChar(text, '-') || !ReadDigits(text, 2, month) || !ReadChar(text, '-') ||
      !ReadDigits(text, 2, day) || !(ReadChar(text, 'T') || ReadChar(text, 't') || ReadChar(text, ' ')) ||
      !ReadDigits(text, 2, hour) || !ReadChar(text, ':') || !ReadDigits(text, 2, minute) || !ReadChar(text, ':') ||
      !ReadDigits(text, 2, second)) {
    return std::nullopt;
  }
  int64_t nanos = 0;
  if (ReadChar(text, '.')) {
    int64_t scale = kNanosPerSecond / 10;
    if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
      nanos += (text[0] - '0') * scale;
      scale /= 10;
      text.remove_prefix(1);
    }
  }
  int offset_minutes = 0;
  if (!ReadChar(text, 'Z') && !ReadChar(text, 'z')) {
    const bool minus = !text.empty() && text[0] == '-';
    int offset_hour = 0, offset_minute = 0;
    if (!(ReadChar(text, '+') || ReadChar(text, '-')) || !ReadDigits(text, 2, offset_hour) || !ReadChar(text, ':') ||
        !ReadDigits(text, 2, offset_minute)) {
      return std::nullopt;
    }
    offset_minutes = (offset_hour * 60 + offset_minute) * (minus ? -1 : 1);
  }
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!text.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const int64_t days_since_epoch = sys_days(date).time_since_epoch().count();
  const int64_t seconds = days_since_epoch * 86400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
  constexpr int64_t kMostSeconds = INT64_MAX / kNanosPerSecond - 1;
  if (seconds > kMostSeconds || seconds < -kMostSeconds) return std::nullopt;
  return seconds * kNanosPerSecond + nanos;
}

std::optional<std::chrono::nanoseconds> ParseGoDuration(std::string_view text) {
  const bool minus = !text.empty() && text[0] == '-';
  if (minus || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  long double total = 0;
  while (!text.empty()) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    struct Unit {
      std::string_view name;
      double nanos;
    };
    static constexpr Unit kUnits[] = {{"ns", 1},   {"us", 1e3}, {"\u00b5s", 1e3}, {"\u03bcs", 1e3},
                                      {"ms", 1e6}, {"s", 1e9},  {"m", 6e10},      {"h", 3.6e12}};
    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits) {
      if (text.starts_with(candidate.name) && (unit == nullptr || candidate.name.size() > unit->name.size()))
        unit = &candidate;
    }
    if (unit == nullptr) return std::nullopt;
    text.remove_prefix(unit->name.size());
    total += static_cast<long double>(number) * unit->nanos;
  }
  if (total > 9.2e18L) return std::nullopt;
  const auto nanos = static_cast<int64_t>(total + 0.5L);
  return std::chrono::nanoseconds(minus ? -nanos : nanos);
}

std::string FormatGoDuration(std::chrono::nanoseconds duration) {
  int64_t nanos = duration.count();
  if (nanos == 0) return "0s";
  const std::string sign = nanos < 0 ? "-" : "";
  if (nanos < 0) nanos = -nanos;
  if (nanos < 1000) return fmt::format("{}{}ns", sign, nanos);
  if (nanos < 1'000'000) return fmt::format("{}{}{}\u00b5s", sign, nanos / 1000, Fraction(nanos % 1000, 3));
  if (nanos < kNanosPerSecond) return fmt::format("{}{}{}ms", sign, nanos / 1'000'000, Fraction(nanos % 1'000'000, 6));
  const int64_t seconds = nanos / kNanosPerSecond;
  std::string out = sign;
  if (seconds >= 3600) out += fmt::format("{}h", seconds / 3600);
  if (seconds >= 60) out += fmt::format("{}m", seconds / 60 % 60);
  return out + fmt::format("{}{}s", seconds % 60, Fraction(nanos % kNanosPerSecond, 9));
}

}  // namespace portcullis::base
