#include "engine/syscalls/constants.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>

#include "base/strings.h"
#include "engine/syscalls/constants_table.h"

namespace portcullis::syscalls {
namespace {

ConstantPlace PlaceOf(Arch arch) {
  switch (arch) {
    case Arch::kMips:
    case Arch::kMips64:
    case Arch::kMips64n32:
    case Arch::kMipsel:
    case Arch::kMipsel64:
    case Arch::kMipsel64n32:
      return ConstantPlace::kMips;
    case Arch::kPpc:
    case Arch::kPpc64:
    case Arch::kPpc64le:
      return ConstantPlace::kPpc;
    case Arch::kS390:
    case Arch::kS390x:
      return ConstantPlace::kS390;
    case Arch::kX86:
      return ConstantPlace::kX86;
    default:
      return ConstantPlace::kEverywhere;
  }
}

// Of a set's entries with one name, the one of the place holds, else that of everywhere.
bool Holds(const ConstantSet& set, const Constant& constant, ConstantPlace place) {
  if (constant.place != ConstantPlace::kEverywhere) return constant.place == place;
  if (place == ConstantPlace::kEverywhere) return true;
  return std::ranges::none_of(
      set.constants, [&](const Constant& other) { return other.place == place && other.name == constant.name; });
}

struct Found {
  const ConstantSet* set;
  const Constant* constant;
};

const std::unordered_multimap<std::string_view, Found>& ByName() {
  static const auto* const all = [] {
    auto* map = new std::unordered_multimap<std::string_view, Found>;
    for (const ConstantSet& set : ConstantSets()) {
      for (const Constant& constant : set.constants) map->emplace(constant.name, Found{&set, &constant});
    }
    return map;
  }();
  return *all;
}

std::optional<uint64_t> ValueOfName(std::string_view name, ConstantPlace place) {
  const auto [begin, end] = ByName().equal_range(name);
  for (auto it = begin; it != end; ++it) {
    if (Holds(*it->second.set, *it->second.constant, place)) return it->second.constant->value;
  }
  return std::nullopt;
}

// Names (AT_FDCWD) and numbers below zero are as wide as a register.
uint64_t InRegister(uint64_t value, bool is_negative, Arch arch) {
  return is_negative && InfoOf(arch).bits == 32 ? value & UINT32_MAX : value;
}

std::optional<uint64_t> ValueOfTerm(std::string_view term, Arch arch) {
  if (term == "NULL") return 0;
  if (const auto shift = term.find("<<"); shift != std::string_view::npos) {
    const auto left = ValueOfTerm(base::Trim(term.substr(0, shift)), arch);
    const auto right = ValueOfTerm(base::Trim(term.substr(shift + 2)), arch);
    if (!left || !right || *right > 63) return std::nullopt;
    return *left << *right;
  }
  if (!term.empty() && (term.front() == '-' || (term.front() >= '0' && term.front() <= '9'))) {
    const auto number = base::ParseCInteger(term);
    return number ? std::optional(InRegister(*number, term.front() == '-', arch)) : std::nullopt;
  }
  const auto value = ValueOfName(term, PlaceOf(arch));
  return value ? std::optional(InRegister(*value, *value > INT64_MAX, arch)) : std::nullopt;
}

// Without /* comments */; nullopt where one does not end.
std::optional<std::string> WithoutComments(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = std::min(text.find("/*", at), text.size());
    out += text.substr(at, begin - at);
    if (begin == text.size()) return out;
    const size_t end = text.find("*/", begin + 2);
    if (end == std::string_view::npos) return std::nullopt;
    at = end + 2;
  }
  return out;
}

std::string NameOfValue(const ConstantSet& set, uint64_t value, ConstantPlace place) {
  for (const Constant& constant : set.constants) {
    if (constant.value == value && Holds(set, constant, place)) return std::string(constant.name);
  }
  return "";
}

std::string DescribeIn(const ConstantSet& set, uint64_t value, ConstantPlace place) {
  if (!set.flags) {
    std::string name = NameOfValue(set, value, place);
    return name.empty() ? fmt::format("{:#x}", value) : name;
  }
  std::string out;
  const auto add = [&out](std::string_view word) {
    if (!out.empty()) out += '|';
    out += word;
  };
  uint64_t rest = value & ~set.low_mask;
  uint64_t low = value & set.low_mask;
  if (set.low >= 0) {
    const ConstantSet& low_set = ConstantSets()[static_cast<size_t>(set.low)];
    const std::string name = NameOfValue(low_set, low, place);
    if (!name.empty()) add(name);
    if (!name.empty() || low == 0) low = 0;
  }
  if (set.low < 0 && value == 0) return NameOfValue(set, 0, place).empty() ? "0" : NameOfValue(set, 0, place);
  for (const Constant& constant : set.constants) {
    if (constant.value == 0 || (rest & constant.value) != constant.value || !Holds(set, constant, place)) continue;
    add(constant.name);
    rest &= ~constant.value;
  }
  if ((rest | low) != 0 || out.empty()) add(rest == 0 && low == 0 ? "0" : fmt::format("{:#x}", rest | low));
  return out;
}

bool IsUsedAt(const ArgumentUse& use, ConstantPlace place) {
  return use.place == ConstantPlace::kEverywhere || (use.place == place) != use.not_there;
}

bool UseHolds(const ArgumentUse& use, ConstantPlace place, std::span<const CallArgument> others) {
  if (!IsUsedAt(use, place)) return false;
  if (use.other < 0) return true;
  return std::ranges::any_of(others, [&use](const CallArgument& other) {
    return other.index == use.other && (other.value & UINT32_MAX) == use.other_value;
  });
}

std::span<const ArgumentUse> UsesOf(std::string_view syscall) {
  const auto found = std::ranges::equal_range(ArgumentUses(), syscall, {}, &ArgumentUse::call);
  return {found.begin(), found.end()};
}

std::string Describe(Arch arch, std::string_view syscall, int index, uint64_t value,
                     std::span<const CallArgument> others) {
  const ConstantPlace place = PlaceOf(arch);
  for (const ArgumentUse& use : UsesOf(syscall)) {
    if (use.index != index || !UseHolds(use, place, others)) continue;
    const ConstantSet& set = ConstantSets()[static_cast<size_t>(use.set)];
    const uint64_t low = value & UINT32_MAX;
    // Only flags of 64 bits (clone's) have names above the low half.
    if (value == low || set.flags) return DescribeIn(set, value, place);
    return fmt::format("{:#x} (for the kernel {})", value, DescribeIn(set, low, place));
  }
  return value < 10 ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

}  // namespace

std::optional<uint64_t> ConstantValue(Arch arch, std::string_view text) {
  const auto plain = WithoutComments(text);
  if (!plain) return std::nullopt;
  uint64_t value = 0;
  for (const std::string& term : base::Split(*plain, '|')) {
    const auto one = ValueOfTerm(base::Trim(term), arch);
    if (!one) return std::nullopt;
    value |= *one;
  }
  return value;
}

std::vector<std::string_view> ConstantNames() {
  std::vector<std::string_view> names;
  for (const ConstantSet& set : ConstantSets()) {
    for (const Constant& constant : set.constants) names.push_back(constant.name);
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

std::string DescribeArgument(Arch arch, std::string_view syscall, int index, uint64_t value) {
  return Describe(arch, syscall, index, value, {});
}

std::string DescribeCall(Arch arch, std::string_view syscall, std::span<const CallArgument> arguments) {
  std::string out(syscall);
  if (arguments.empty()) return out;
  const int last = std::ranges::max(arguments, {}, &CallArgument::index).index;
  for (int index = 0; index <= last; ++index) {
    out += index == 0 ? "(" : ", ";
    const auto known = std::ranges::find(arguments, index, &CallArgument::index);
    out += known == arguments.end() ? "_" : Describe(arch, syscall, index, known->value, arguments);
  }
  return out + ")";
}

std::vector<int> KeptArguments(Arch arch, std::string_view syscall) {
  std::vector<int> kept;
  const ConstantPlace place = PlaceOf(arch);
  for (const ArgumentUse& use : UsesOf(syscall)) {
    if (use.use == ArgumentUse::kNamed || !IsUsedAt(use, place)) continue;
    if (kept.empty() || kept.back() != use.index) kept.push_back(use.index);
  }
  return kept;
}

bool IsTestedArgument(Arch arch, std::string_view syscall, int index) {
  return std::ranges::any_of(UsesOf(syscall), [&](const ArgumentUse& use) {
    return use.use == ArgumentUse::kTested && use.index == index && IsUsedAt(use, PlaceOf(arch));
  });
}

}  // namespace portcullis::syscalls
