#include "engine/seccomp/profile.h"

#include <algorithm>
#include <charconv>

#include "engine/seccomp/names.h"

namespace portcullis::seccomp {
namespace {

// A decimal number at the start of `text`, which is then cut off; nullopt when there is none or it is too large.
std::optional<int> TakeNumber(std::string_view& text) {
  int number = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

std::optional<KernelVersion> TakeVersion(std::string_view& text) {
  const auto major = TakeNumber(text);
  if (!major || !text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  const auto minor = TakeNumber(text);
  if (!minor) return std::nullopt;
  return KernelVersion{*major, *minor};
}

}  // namespace

std::string_view ActionName(Action action) { return NameIn(kActionNames, action); }
std::optional<Action> ActionFromName(std::string_view name) { return ValueIn(kActionNames, name); }
bool TakesErrno(Action action) { return action == Action::kErrno || action == Action::kTrace; }

std::string_view CompareOpName(CompareOp op) { return NameIn(kCompareOpNames, op); }
std::optional<CompareOp> CompareOpFromName(std::string_view name) { return ValueIn(kCompareOpNames, name); }

std::string_view FilterFlagName(FilterFlag flag) { return NameIn(kFilterFlagNames, flag); }
std::optional<FilterFlag> FilterFlagFromName(std::string_view name) { return ValueIn(kFilterFlagNames, name); }

Result<KernelVersion> ParseKernelRelease(std::string_view release) {
  std::string_view rest = release;
  const auto version = TakeVersion(rest);
  if (!version)
    return Fail(Code::kInvalidArgument, "read kernel release \"{}\": it does not begin with two numbers", release);
  return *version;
}

Result<KernelVersion> ParseMinKernel(std::string_view text) {
  std::string_view rest = text;
  const auto version = TakeVersion(rest);
  if (!version || !rest.empty() || version->major > 255 || version->minor > 255 || *version == KernelVersion{0, 0}) {
    return Fail(Code::kInvalidArgument,
                "invalid minKernel \"{}\": expected \"<kernel>.<major>\", each at most 255, not 0.0", text);
  }
  return *version;
}

std::string ToString(KernelVersion version) { return fmt::format("{}.{}", version.major, version.minor); }

bool UsesConditionalDialect(const Profile& profile) {
  return !profile.arch_map.empty() || !profile.default_errno_name.empty() ||
         std::ranges::any_of(profile.syscalls, [](const Rule& rule) {
           return rule.singular_name || !rule.errno_name.empty() || !rule.includes.empty() || !rule.excludes.empty();
         });
}

std::optional<uint32_t> ErrnoFromName(std::string_view name) {
  if (const auto value = ValueIn(ErrnoNames(), name)) return static_cast<uint32_t>(*value);
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (name.empty() || error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

std::string ErrnoName(uint32_t number) {
  const std::string_view name = NameIn(ErrnoNames(), static_cast<int>(number));
  return name.empty() ? std::to_string(number) : std::string(name);
}

}  // namespace portcullis::seccomp
