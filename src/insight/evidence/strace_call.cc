#include "insight/evidence/strace_call.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

#include "base/strings.h"
#include "engine/syscalls/constants.h"
#include "engine/syscalls/syscalls.h"
#include "insight/evidence/strace_line.h"

namespace portcullis::insight {
namespace {

using syscalls::Arch;

std::string ToUpper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

// strace shows socketcall(SYS_ACCEPT, [3, …]) as accept(3, …), and ipc(SEMOP, …) as semop(…).
std::optional<StraceNumber> AsSubcall(Arch arch, std::string_view name) {
  for (const auto& [call, prefix] :
       {std::pair<std::string_view, std::string_view>{"socketcall", "SYS_"}, {"ipc", ""}}) {
    const auto number = syscalls::NumberOf(arch, call);
    const auto subcall = syscalls::ConstantValue(arch, std::string(prefix) + ToUpper(name));
    if (number && subcall &&
        syscalls::DescribeArgument(arch, call, 0, *subcall) == std::string(prefix) + ToUpper(name)) {
      return StraceNumber{.number = *number, .name = call, .subcall = subcall};
    }
  }
  return std::nullopt;
}

int ErrnoOfName(std::string_view name) {
  static const auto* const all = [] {
    auto* map = new std::unordered_map<std::string_view, int>;
    for (int error = 1; error < 256; ++error) {
      if (const char* text = ::strerrorname_np(error)) map->emplace(text, error);
    }
    map->emplace("EWOULDBLOCK", EAGAIN);
    map->emplace("ENOTSUPP", 524);
    return map;
  }();
  const auto found = all->find(name);
  return found == all->end() ? 0 : found->second;
}

// _IOC(_IOC_READ|_IOC_WRITE, 0x54, 0x12, 0x4): an ioctl that strace has no name for. The layout of asm-generic/ioctl.h;
// mips and ppc have other directions.
std::optional<uint64_t> IocValue(Arch arch, std::string_view text) {
  if (!text.starts_with("_IOC(")) return std::nullopt;
  const StraceArguments parts = SplitStraceArguments(text.substr(5));
  if (parts.values.size() != 4 || parts.end == std::string_view::npos) return std::nullopt;
  const std::string_view name = syscalls::InfoOf(arch).docker_name;
  const bool other = name.starts_with("mips") || name.starts_with("ppc");
  uint64_t direction = 0;
  for (const std::string& word : base::Split(parts.values[0], '|')) {
    if (word == "_IOC_NONE") {
      direction |= other ? 1 : 0;
    } else if (word == "_IOC_WRITE") {
      direction |= other ? 4 : 1;
    } else if (word == "_IOC_READ") {
      direction |= 2;
    } else {
      return std::nullopt;
    }
  }
  const auto type = syscalls::ConstantValue(arch, parts.values[1]);
  const auto number = syscalls::ConstantValue(arch, parts.values[2]);
  const auto size = syscalls::ConstantValue(arch, parts.values[3]);
  if (!type || !number || !size) return std::nullopt;
  return direction << (other ? 29 : 30) | (*size & 0x3fff) << 16 | (*type & 0xff) << 8 | (*number & 0xff);
}

std::optional<uint64_t> ValueOf(Arch arch, std::string_view text) {
  // "TCGETS or SNDCTL_TMR_START": two names of one number.
  if (const size_t either = text.find(" or "); either != std::string_view::npos) {
    const auto first = syscalls::ConstantValue(arch, text.substr(0, either));
    return first ? first : ValueOf(arch, text.substr(either + 4));
  }
  if (const auto ioc = IocValue(arch, text)) return ioc;
  return syscalls::ConstantValue(arch, text);
}

// strace names the arguments of clone, and gives them in an order of its own.
std::string_view ArgumentAt(std::string_view name, const std::vector<std::string_view>& values, int index) {
  if (name == "clone") {
    constexpr std::string_view kFlags = "flags=";
    for (const std::string_view value : values) {
      if (value.starts_with(kFlags)) return value.substr(kFlags.size());
    }
    if (!values.empty() && values[0].find('=') != std::string_view::npos) return "";
  }
  return static_cast<size_t>(index) < values.size() ? values[static_cast<size_t>(index)] : "";
}

}  // namespace

std::optional<StraceNumber> NumberOfStraceCall(Arch arch, std::string_view name, std::optional<uint32_t> known) {
  auto subcall = AsSubcall(arch, name);
  if (known) {
    if (subcall && subcall->number == *known) return subcall;
    const auto names = syscalls::NamesOf(arch, *known);
    const bool agrees = std::ranges::any_of(names, [name](const auto& entry) { return entry.name == name; });
    return StraceNumber{.number = *known, .name = agrees || names.empty() ? name : names.front().name};
  }
  if (const auto number = syscalls::NumberOf(arch, name)) {
    return StraceNumber{.number = *number, .name = name, .ambiguous = subcall.has_value()};
  }
  if (subcall) return subcall;
  constexpr std::string_view kUnnamed = "syscall_0x";
  if (name.starts_with(kUnnamed)) {
    const auto number = syscalls::ConstantValue(arch, name.substr(kUnnamed.size() - 2));
    if (number && *number <= UINT32_MAX) return StraceNumber{.number = static_cast<uint32_t>(*number), .name = name};
  }
  return std::nullopt;
}

std::optional<bool> IsOfArch(Arch arch, Arch compat, std::string_view name, std::optional<uint32_t> known,
                             std::string_view arguments, std::string_view result) {
  const auto has = [&](Arch one) {
    if (!known) return NumberOfStraceCall(one, name, std::nullopt).has_value();
    const auto names = syscalls::NamesOf(one, *known);
    const auto subcall = AsSubcall(one, name);
    return std::ranges::any_of(names, [name](const auto& entry) { return entry.name == name; }) ||
           (subcall && subcall->number == *known);
  };
  const bool of_arch = has(arch);
  if (of_arch != has(compat)) return of_arch;
  // 0x and more than eight digits.
  const auto is_wide = [](std::string_view word) {
    word = word.substr(0, word.find(' '));  // execve's environment has a comment behind it
    return word.starts_with("0x") && word.size() > 10 &&
           word.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
  };
  if (is_wide(result)) return true;
  if (std::ranges::any_of(SplitStraceArguments(arguments).values, is_wide)) return true;
  return std::nullopt;
}

StraceValues ValuesOfStraceCall(Arch arch, const StraceNumber& number, std::string_view text) {
  StraceValues out;
  if (number.subcall) {
    out.arguments.push_back({0, *number.subcall});
    return out;
  }
  const std::vector<int> kept = syscalls::KeptArguments(arch, number.name);
  if (kept.empty()) return out;
  const std::vector<std::string_view> values = SplitStraceArguments(text).values;
  for (const int index : kept) {
    const std::string_view word = ArgumentAt(number.name, values, index);
    if (const auto value = ValueOf(arch, word)) {
      out.arguments.push_back({index, *value});
      continue;
    }
    std::string& unread = syscalls::IsTestedArgument(arch, number.name, index) ? out.unread_tested : out.unread_other;
    unread = fmt::format("{} of {}", base::Quote(word.substr(0, 40)), number.name);
  }
  return out;
}

StraceResult ResultOfStraceCall(std::string_view name, std::string_view text) {
  StraceResult out;
  const bool injected = text.find("(INJECTED)") != std::string_view::npos;
  if (text.starts_with("?")) {
    const bool ends = name == "exit" || name == "exit_group";
    // A call that a signal interrupts was let through; the kernel begins it again.
    const bool interrupted = text.find("ERESTART") != std::string_view::npos;
    if (ends || interrupted) out.result = CallResult::kAllowed;
    return out;
  }
  if (text.starts_with("-1 E")) {
    std::string_view word = text.substr(3);
    word = word.substr(0, word.find(' '));
    out.error = ErrnoOfName(word);
    if (injected) return out;
    out.result = out.error == EPERM || out.error == ENOSYS ? CallResult::kErrno : CallResult::kAllowed;
    return out;
  }
  std::string_view word = text.substr(0, text.find_first_of(" <"));
  out.value = syscalls::ConstantValue(Arch::kX86_64, word);
  if (out.value && !injected) out.result = CallResult::kAllowed;
  return out;
}

}  // namespace portcullis::insight
