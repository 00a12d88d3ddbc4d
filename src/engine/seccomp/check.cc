#include "engine/seccomp/check.h"

#include <algorithm>

#include "base/try.h"

namespace portcullis::seccomp {
namespace {

// What the two forms of a rule have in common; the checks are about that.
struct RuleView {
  const std::vector<std::string>& names;
  Action action;
  std::optional<uint32_t> errno_ret;
  const std::vector<Arg>& args;
};

class Checker {
 public:
  explicit Checker(const std::string& name) : name_(name) {}

  template <class... Args>
  Failure Refuse(const std::string& pointer, fmt::format_string<Args...> format, Args&&... args) const {
    return Fail(Code::kInvalidArgument, "seccomp profile {}: {}: {}", name_, pointer,
                fmt::format(format, std::forward<Args>(args)...));
  }

  Result<void> Errno(const std::string& pointer, Action action, std::optional<uint32_t> value) const {
    if (!value) return {};
    if (!TakesErrno(action)) return Refuse(pointer, "an errno was given, but {} takes none", ActionName(action));
    if (*value > kMaxErrno) return Refuse(pointer, "errno {} is more than {}", *value, kMaxErrno);
    return {};
  }

  Result<void> ErrnoWord(const std::string& pointer, Action action, const std::string& word) const {
    if (word.empty()) return {};
    const auto value = ErrnoFromName(word);
    if (!value) return Refuse(pointer, "unknown errno {}", word);
    return Errno(pointer, action, value);
  }

  template <class P>
  Result<void> Head(const P& profile) const {
    TRY(Errno("/defaultErrnoRet", profile.default_action, profile.default_errno_ret));
    if (profile.default_action == Action::kNotify) {
      return Refuse("/defaultAction",
                    "SCMP_ACT_NOTIFY cannot be the default action: the container could not even start");
    }
    if (!profile.listener_metadata.empty() && profile.listener_path.empty()) {
      return Refuse("/listenerMetadata", "given without listenerPath");
    }
    if (profile.syscalls.size() > kMaxRules) {
      return Refuse("/syscalls", "{} rules, at most {} are accepted", profile.syscalls.size(), kMaxRules);
    }
    size_t names = 0;
    for (const auto& rule : profile.syscalls) names += rule.names.size();
    if (names > kMaxNames) return Refuse("/syscalls", "{} names, at most {} are accepted", names, kMaxNames);
    return {};
  }

  Result<void> Rule(const std::string& pointer, const RuleView& rule, bool has_listener) const {
    if (rule.names.empty()) return Refuse(pointer + "/names", "the rule names no system call");
    for (size_t index = 0; index < rule.names.size(); ++index) {
      const std::string& name = rule.names[index];
      const std::string at = fmt::format("{}/names/{}", pointer, index);
      if (name.empty()) return Refuse(at, "the name is empty");
      if (name.size() > kMaxNameLength)
        return Refuse(at, "the name has {} bytes, at most {} are accepted", name.size(), kMaxNameLength);
    }
    TRY(Errno(pointer + "/errnoRet", rule.action, rule.errno_ret));
    if (rule.action == Action::kNotify) {
      if (!has_listener) return Refuse(pointer + "/action", "SCMP_ACT_NOTIFY needs listenerPath");
      if (std::ranges::find(rule.names, "write") != rule.names.end()) {
        return Refuse(pointer + "/action",
                      "SCMP_ACT_NOTIFY on write: the OCI runtime could not hand over the listener");
      }
    }
    if (rule.args.size() > kMaxArgsPerRule) {
      return Refuse(pointer + "/args", "{} argument tests, at most {} are accepted", rule.args.size(), kMaxArgsPerRule);
    }
    for (size_t index = 0; index < rule.args.size(); ++index) {
      if (rule.args[index].index > 5) {
        return Refuse(fmt::format("{}/args/{}/index", pointer, index),
                      "{} is no argument of a system call: there are 0 to 5", rule.args[index].index);
      }
    }
    return {};
  }

 private:
  const std::string& name_;
};

}  // namespace

Result<void> CheckUsable(const Profile& profile, const std::string& name) {
  const Checker checker(name);
  TRY(checker.Head(profile));
  TRY(checker.ErrnoWord("/defaultErrno", profile.default_action, profile.default_errno_name));
  if (!profile.architectures.empty() && !profile.arch_map.empty()) {
    return checker.Refuse(
        "/archMap",
        "'architectures' and 'archMap' were specified in the seccomp profile, use either 'architectures' or "
        "'archMap'");
  }
  for (size_t index = 0; index < profile.syscalls.size(); ++index) {
    const Rule& rule = profile.syscalls[index];
    const std::string pointer = fmt::format("/syscalls/{}", index);
    TRY(checker.Rule(pointer, {rule.names, rule.action, rule.errno_ret, rule.args}, !profile.listener_path.empty()));
    TRY(checker.ErrnoWord(pointer + "/errno", rule.action, rule.errno_name));
  }
  return {};
}

Result<void> CheckUsable(const ResolvedProfile& profile, const std::string& name) {
  const Checker checker(name);
  TRY(checker.Head(profile));
  for (size_t index = 0; index < profile.syscalls.size(); ++index) {
    const ResolvedRule& rule = profile.syscalls[index];
    TRY(checker.Rule(fmt::format("/syscalls/{}", index), {rule.names, rule.action, rule.errno_ret, rule.args},
                     !profile.listener_path.empty()));
  }
  return {};
}

}  // namespace portcullis::seccomp
