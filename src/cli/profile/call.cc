#include "cli/profile/call.h"

#include "base/strings.h"
#include "base/try.h"
#include "engine/syscalls/constants.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::cli {
namespace {

std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates) {
  const auto nearest = base::Nearest(word, candidates);
  return nearest ? fmt::format(" (did you mean {}?)", *nearest) : "";
}

// A number, a constant's name, or several joined with `|`.
Result<uint64_t> ParseArgument(std::string_view word, syscalls::Arch arch) {
  if (const auto value = syscalls::ConstantValue(arch, word)) return *value;
  for (const std::string& part : base::Split(word, '|')) {
    const std::string term(base::Trim(part));
    if (syscalls::ConstantValue(arch, term)) continue;
    return Fail(Code::kInvalidArgument, "argument {} is neither a number nor a known constant{}", base::Quote(term),
                DidYouMean(term, syscalls::ConstantNames()));
  }
  return Fail(Code::kInvalidArgument, "argument {} is no expression of constants", base::Quote(word));
}

}  // namespace

Result<Call> ParseCall(std::span<const std::string> words, syscalls::Arch arch) {
  if (words.empty()) return Fail(Code::kInvalidArgument, "no system call was given");
  Call call;
  if (const auto number = base::ParseCInteger(words[0])) {
    if (*number > UINT32_MAX) return Fail(Code::kInvalidArgument, "{} is no number of a system call", words[0]);
    call.number = static_cast<uint32_t>(*number);
    call.name = syscalls::NameOf(arch, call.number).value_or("");
  } else {
    const auto found = syscalls::NumberOf(arch, words[0]);
    if (!found) {
      const std::string_view arch_name = syscalls::InfoOf(arch).scmp_name;
      if (syscalls::IsKnownName(words[0])) {
        return Fail(Code::kNotFound, "{} has no system call {}: other architectures have", arch_name, words[0]);
      }
      return Fail(Code::kNotFound, "unknown system call {}{}", base::Quote(words[0]),
                  DidYouMean(words[0], syscalls::AllNames()));
    }
    call.number = *found;
    call.name = words[0];
  }
  if (words.size() - 1 > call.args.size()) {
    return Fail(Code::kInvalidArgument, "{}: {} arguments, a system call has at most {}", words[0], words.size() - 1,
                call.args.size());
  }
  for (size_t i = 1; i < words.size(); ++i) {
    ASSIGN_OR_RETURN(call.args[i - 1], ParseArgument(words[i], arch));
  }
  return call;
}

}  // namespace portcullis::cli
