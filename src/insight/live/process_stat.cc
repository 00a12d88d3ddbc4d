#include "insight/live/process_stat.h"

#include "base/strings.h"

namespace portcullis::insight {
namespace {

// proc(5) numbers the fields from 1; behind the name, which may hold anything, comes the third.
constexpr size_t kFirst = 3;
constexpr size_t kFlags = 9;
constexpr size_t kStartTime = 22;
constexpr uint64_t kExiting = 0x4;  // PF_EXITING

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view text) {
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  const auto fields = base::Split(base::Trim(text.substr(name_end + 1)), ' ');
  if (fields.size() <= kStartTime - kFirst) return std::nullopt;
  const auto flags = base::ParseUint(fields[kFlags - kFirst]);
  const auto start = base::ParseUint(fields[kStartTime - kFirst]);
  if (!flags || !start) return std::nullopt;
  return ProcessStat{.start_ticks = *start, .is_exiting = (*flags & kExiting) != 0};
}

}  // namespace portcullis::insight
