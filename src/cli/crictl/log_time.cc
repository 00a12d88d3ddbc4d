#include "cli/crictl/log_time.h"

#include <array>
#include <ctime>
#include <limits>

#include "base/clock.h"
#include "base/strings.h"

namespace portcullis::cli {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

std::optional<int64_t> ParseLocal(const std::string& text) {
  static constexpr std::array<const char*, 3> kLayouts = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
  for (const char* layout : kLayouts) {
    std::tm fields{};
    const char* end = strptime(text.c_str(), layout, &fields);
    if (end == nullptr || *end != '\0') continue;
    fields.tm_isdst = -1;
    return static_cast<int64_t>(mktime(&fields)) * kSecond;
  }
  return std::nullopt;
}

std::optional<int64_t> ParseUnixSeconds(const std::string& text) {
  const size_t dot = text.find('.');
  const auto seconds = base::ParseUint(text.substr(0, dot));
  if (!seconds || *seconds > static_cast<uint64_t>(std::numeric_limits<int64_t>::max() / kSecond - 1)) {
    return std::nullopt;
  }
  int64_t nanoseconds = 0;
  if (dot != std::string::npos) {
    std::string fraction = text.substr(dot + 1);
    if (fraction.empty() || fraction.size() > 9) return std::nullopt;
    fraction.append(9 - fraction.size(), '0');
    const auto parsed = base::ParseUint(fraction);
    if (!parsed) return std::nullopt;
    nanoseconds = static_cast<int64_t>(*parsed);
  }
  return static_cast<int64_t>(*seconds) * kSecond + nanoseconds;
}

}  // namespace

Result<int64_t> ParseSince(const std::string& text, int64_t now) {
  if (const auto seconds = ParseUnixSeconds(text)) return *seconds;
  if (const auto duration = base::ParseGoDuration(text)) return now - duration->count();
  if (const auto time = base::ParseRfc3339(text)) return *time;
  if (const auto local = ParseLocal(text)) return *local;
  return Fail(Code::kInvalidArgument,
              "--since {}: expected a duration (42m), a time (2013-01-02T13:23:37Z) or seconds since 1970",
              base::Quote(text));
}

}  // namespace portcullis::cli
