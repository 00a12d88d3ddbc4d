#include "cli/output/human.h"

#include <fmt/core.h>

#include <array>
#include <string_view>

namespace portcullis::cli {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;

}  // namespace

std::string HumanDuration(int64_t nanoseconds) {
  const int64_t seconds = nanoseconds / kSecond;
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return fmt::format("{} seconds", seconds);
  const int64_t minutes = nanoseconds / kMinute;
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return fmt::format("{} minutes", minutes);
  const int64_t hours = nanoseconds / kHour + (nanoseconds % kHour >= kHour / 2 ? 1 : 0);
  if (hours == 1) return "About an hour";
  if (hours < 48) return fmt::format("{} hours", hours);
  const int64_t days = hours / 24;
  if (hours < 24 * 7 * 2) return fmt::format("{} days", days);
  if (hours < 24 * 30 * 2) return fmt::format("{} weeks", days / 7);
  if (hours < 24 * 365 * 2) return fmt::format("{} months", days / 30);
  return fmt::format("{} years", days / 365);
}

std::string HumanAgo(int64_t then, int64_t now) {
  int64_t elapsed = 0;
  if (__builtin_sub_overflow(now, then, &elapsed)) elapsed = 0;
  return HumanDuration(elapsed) + " ago";
}

std::string HumanSize(double bytes, int digits) {
  static constexpr std::array<std::string_view, 9> kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  size_t unit = 0;
  while (bytes >= 1000.0 && unit + 1 < kUnits.size()) {
    bytes /= 1000.0;
    ++unit;
  }
  return fmt::format("{:.{}g}{}", bytes, digits, kUnits[unit]);
}

}  // namespace portcullis::cli
