#include "host/proc/proc_files.h"

#include <climits>
#include <utility>

#include "base/strings.h"

namespace portcullis::host {
namespace {

// Numbers of fields as proc(5) has them; those behind the name begin with the third.
constexpr size_t kStateField = 3;
constexpr size_t kParentField = 4;
constexpr size_t kFlagsField = 9;
constexpr size_t kStartTimeField = 22;
constexpr uint64_t kExiting = 0x4;  // PF_EXITING of the kernel's include/linux/sched.h

template <class T>
bool Put(std::optional<uint64_t> value, uint64_t limit, T& out) {
  if (!value || *value > limit) return false;
  out = static_cast<T>(*value);
  return true;
}

// Real, effective, saved, file system.
bool PutEffectiveId(std::string_view value, uint32_t& out) {
  const auto ids = base::Split(value, '\t');
  return ids.size() == 4 && Put(base::ParseUint(ids[1]), UINT32_MAX, out);
}

bool PutNumber(std::string_view value, std::optional<int>& out) {
  int number = 0;
  if (!Put(base::ParseUint(value), INT_MAX, number)) return false;
  out = number;
  return true;
}

bool PutMask(std::string_view value, uint64_t& out) { return Put(base::ParseHex(value), UINT64_MAX, out); }

bool PutField(std::string_view key, std::string_view value, ProcessStatus& out) {
  if (key == "Tgid") return PutNumber(value, out.tgid);
  if (key == "Uid") return PutEffectiveId(value, out.uid);
  if (key == "Gid") return PutEffectiveId(value, out.gid);
  if (key == "CapPrm") return PutMask(value, out.permitted_capabilities);
  if (key == "CapBnd") return PutMask(value, out.bounding_capabilities);
  if (key == "SigBlk") return PutMask(value, out.blocked_signals);
  if (key == "SigIgn") return PutMask(value, out.ignored_signals);
  if (key == "SigCgt") return PutMask(value, out.caught_signals);
  if (key == "NoNewPrivs") return Put(base::ParseUint(value), 1, out.no_new_privs);
  if (key == "Seccomp") return PutNumber(value, out.seccomp_mode);
  if (key == "Seccomp_filters") return PutNumber(value, out.seccomp_filters);
  return true;
}

}  // namespace

std::optional<ProcessStat> ParseStat(std::string_view text) {
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  const auto fields = base::Split(base::Trim(text.substr(name_end + 1)), ' ');
  if (fields.size() <= kStartTimeField - kStateField || fields[0].size() != 1) return std::nullopt;
  ProcessStat out{.state = fields[0][0]};
  if (!Put(base::ParseUint(fields[kParentField - kStateField]), INT_MAX, out.parent)) return std::nullopt;
  uint64_t flags = 0;
  if (!Put(base::ParseUint(fields[kFlagsField - kStateField]), UINT64_MAX, flags)) return std::nullopt;
  out.is_exiting = (flags & kExiting) != 0;
  if (!Put(base::ParseUint(fields[kStartTimeField - kStateField]), UINT64_MAX, out.start_time_ticks)) {
    return std::nullopt;
  }
  return out;
}

std::optional<ProcessStatus> ParseStatus(std::string_view text) {
  ProcessStatus out;
  for (const std::string& line : base::Split(text, '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view whole = line;
    if (!PutField(whole.substr(0, colon), base::Trim(whole.substr(colon + 1)), out)) return std::nullopt;
  }
  return out;
}

std::vector<ProcessCgroup> ParseCgroups(std::string_view text) {
  std::vector<ProcessCgroup> out;
  for (const std::string& line : base::Split(text, '\n')) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    out.push_back({.controllers = base::Split(std::string_view(line).substr(first + 1, second - first - 1), ','),
                   .path = line.substr(second + 1)});
  }
  return out;
}

}  // namespace portcullis::host
