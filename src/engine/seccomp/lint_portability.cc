#include <algorithm>

#include "engine/seccomp/capabilities.h"
#include "engine/seccomp/check.h"
#include "engine/seccomp/names.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::seccomp {
namespace {

class PortabilityLint {
 public:
  explicit PortabilityLint(const std::string& name) : name_(name) {}

  Diagnostics Run(const Profile& profile) && {
    if (!profile.arch_map.empty()) {
      Warn("/archMap", "containerd ignores archMap: there the profile covers the native architecture only",
           "list architectures instead, if the file is for containerd too");
    }
    ErrnoWord("/defaultErrno", profile.default_errno_name, profile.default_errno_ret);
    for (size_t index = 0; index < profile.syscalls.size(); ++index) {
      CheckRule(profile.syscalls[index], fmt::format("/syscalls/{}", index));
    }
    return std::move(diagnostics_);
  }

 private:
  void Warn(std::string pointer, std::string message, std::string hint = "") {
    if (diagnostics_.size() >= kMaxWarnings) return;
    diagnostics_.push_back({.severity = Severity::kWarning,
                            .file = name_,
                            .field = std::move(pointer),
                            .message = std::move(message),
                            .hint = std::move(hint)});
  }

  void ErrnoWord(const std::string& pointer, const std::string& word, std::optional<uint32_t> number) {
    if (word.empty() || ErrnoFromName(word) == number) return;
    Warn(pointer,
         fmt::format("containerd and docker ignore errno names: there the answer is {}", ErrnoName(number.value_or(1))),
         "give the number as well, in errnoRet or defaultErrnoRet");
  }

  void CheckConditions(const Conditions& conditions, const std::string& pointer) {
    for (size_t index = 0; index < conditions.arches.size(); ++index) {
      if (syscalls::ArchFromDockerName(conditions.arches[index])) continue;
      Warn(fmt::format("{}/arches/{}", pointer, index),
           fmt::format("no architecture is called \"{}\" here", conditions.arches[index]),
           "names are like amd64, arm64, x32");
    }
    for (size_t index = 0; index < conditions.caps.size(); ++index) {
      if (std::ranges::find(CapabilityNames(), conditions.caps[index]) != CapabilityNames().end()) continue;
      Warn(fmt::format("{}/caps/{}", pointer, index), fmt::format("unknown capability \"{}\"", conditions.caps[index]),
           "names are like CAP_SYS_ADMIN");
    }
    if (conditions.min_kernel)
      Warn(pointer + "/minKernel", "CRI-O and podman ignore minKernel: there the rule always applies");
  }

  void CheckRule(const Rule& rule, const std::string& pointer) {
    if (rule.singular_name) {
      Warn(pointer + "/name", "containerd ignores name: there the rule names no system call", "use names");
    }
    ErrnoWord(pointer + "/errno", rule.errno_name, rule.errno_ret);
    if (!rule.includes.empty() || !rule.excludes.empty()) {
      Warn(pointer + (rule.includes.empty() ? "/excludes" : "/includes"),
           "containerd ignores conditions: there the rule always applies");
    }
    CheckConditions(rule.includes, pointer + "/includes");
    CheckConditions(rule.excludes, pointer + "/excludes");
    for (size_t index = 0; index < rule.names.size(); ++index) {
      if (syscalls::IsKnownName(rule.names[index])) continue;
      Warn(rule.singular_name ? pointer + "/name" : fmt::format("{}/names/{}", pointer, index),
           fmt::format("no architecture has a system call \"{}\" (up to Linux 7.2): the name is ignored",
                       rule.names[index]));
    }
  }

  const std::string& name_;
  Diagnostics diagnostics_;
};

}  // namespace

Diagnostics LintPortability(const Profile& profile, const std::string& name) {
  return PortabilityLint(name).Run(profile);
}

}  // namespace portcullis::seccomp
