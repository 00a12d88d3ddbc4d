#include "engine/algebra/lint.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <span>
#include <utility>

#include "base/strings.h"
#include "base/try.h"
#include "engine/algebra/operations.h"
#include "engine/bpf/program.h"
#include "engine/filter/prove.h"
#include "engine/syscalls/syscalls.h"

namespace portcullis::algebra {
namespace {

using filter::Arch;
using filter::Behaviour;
using filter::Leaf;

// What each OCI runtime still calls in the container's first process once the filter is on.
struct StartCalls {
  const char* runtime;
  const char* when;
  std::vector<std::string_view> calls;
};

const std::vector<StartCalls>& AllStartCalls() {
  static const std::vector<StartCalls> all{
      {"every OCI runtime", "", {"execve"}},
      {"crun 1.8.1 to 1.28",
       " without noNewPrivileges",
       {"close", "prctl", "capset", "setresuid", "setresgid", "rt_sigaction", "rt_sigprocmask", "write"}},
      {"runc 1.1.5 to 1.1.15", "", {"close", "futex", "getdents64", "openat", "fstatfs", "write"}},
      {"runc 1.3.6", "", {"close", "futex", "getdents64", "openat", "fstat", "fstatfs", "statx", "write"}},
      {"runc 1.1.5 to 1.3.6",
       " without noNewPrivileges",
       {"capget", "capset", "chdir", "fcntl", "fstat", "getcwd", "getppid", "newfstatat", "prctl", "read", "setgid",
        "setgroups", "setuid"}},
  };
  return all;
}

bool Permits(uint32_t answer) { return PermissivenessOf(answer) > PermissivenessOf(filter::kReturnErrno); }

class AnswersLint {
 public:
  AnswersLint(const ResolvedProfile& profile, const std::string& name, Arch native)
      : profile_(profile),
        name_(name),
        native_(native),
        behaviour_(filter::Describe(profile, {.native = native, .newer = filter::NewerSyscalls::kAsWritten})) {}

  Diagnostics Run() {
    LintTwins();
    LintClone3();
    LintForgotten();
    LintStart();
    LintNeverDecides();
    return std::move(findings_);
  }

 private:
  void Add(Severity severity, std::string field, std::string message, std::string hint) {
    findings_.push_back({.severity = severity,
                         .file = name_,
                         .line = 0,
                         .column = 0,
                         .field = std::move(field),
                         .message = std::move(message),
                         .hint = std::move(hint)});
  }

  std::vector<Arch> Archs() const {
    std::vector<Arch> archs{native_};
    for (const Arch arch : profile_.architectures) {
      if (arch != native_) archs.push_back(arch);
    }
    return archs;
  }

  const Leaf* LeafOf(Arch arch, std::string_view name) const {
    const auto number = syscalls::NumberOf(arch, name);
    return number ? filter::FindLeaf(behaviour_, syscalls::InfoOf(arch).audit_arch, *number) : nullptr;
  }
  // For some arguments at least.
  bool MayDeny(Arch arch, std::string_view name) const {
    const Leaf* leaf = LeafOf(arch, name);
    if (leaf == nullptr) return false;
    return !Permits(leaf->otherwise) ||
           std::ranges::any_of(leaf->rules, [](const filter::ArgRule& rule) { return !Permits(rule.answer); });
  }
  bool MayPermit(Arch arch, std::string_view name) const {
    const Leaf* leaf = LeafOf(arch, name);
    if (leaf == nullptr) return false;
    return Permits(leaf->otherwise) ||
           std::ranges::any_of(leaf->rules, [](const filter::ArgRule& rule) { return Permits(rule.answer); });
  }

  void LintTwins() {
    for (const Arch arch : Archs()) {
      const std::string on(syscalls::InfoOf(arch).scmp_name);
      if (MayDeny(arch, "socket") && MayPermit(arch, "socketcall")) {
        Add(Severity::kWarning, "",
            "socketcall is permitted on " + on + " and makes every socket that socket is denied",
            "a filter cannot see socketcall's arguments; deny it where no 32-bit program needs it");
      }
      for (const char* call : {"socket", "connect", "openat", "openat2", "unlinkat"}) {
        if (!MayDeny(arch, call) || !MayPermit(arch, "io_uring_setup")) continue;
        Add(Severity::kWarning, "",
            fmt::format("io_uring is permitted on {} and does the work of {}, which is denied", on, call),
            "what a ring does passes no filter; deny io_uring_setup");
      }
      const Leaf* clone = LeafOf(arch, "clone");
      if (clone != nullptr && !clone->constant() && MayPermit(arch, "clone3")) {
        Add(Severity::kWarning, "", "clone3 is permitted on " + on + ", clone only for some flags",
            "a filter cannot see clone3's flags; answer it with ENOSYS, so that C libraries take clone");
      }
    }
  }

  void LintClone3() {
    const Leaf* clone3 = LeafOf(native_, "clone3");
    const bool wrong = clone3 != nullptr && clone3->constant() && !Permits(clone3->otherwise) &&
                       clone3->otherwise != (filter::kReturnErrno | ENOSYS) && MayPermit(native_, "clone");
    if (!wrong) return;
    Add(Severity::kWarning, "", "clone3 is denied with " + bpf::ReturnText(clone3->otherwise),
        "C libraries fall back to clone on ENOSYS only; with another answer they cannot start threads");
  }

  void LintForgotten() {
    if (native_ != Arch::kX86_64 ||
        std::ranges::find(profile_.architectures, Arch::kX86) != profile_.architectures.end()) {
      return;
    }
    Add(Severity::kWarning, "/architectures", "32-bit programs are killed: SCMP_ARCH_X86 is not listed",
        "list SCMP_ARCH_X86 (and SCMP_ARCH_X32) as the default profiles do, unless that is meant");
  }

  void LintStart() {
    for (const StartCalls& start : AllStartCalls()) {
      std::vector<std::string> denied;
      for (const std::string_view call : start.calls) {
        if (LeafOf(native_, call) != nullptr && !MayPermit(native_, call)) denied.emplace_back(call);
      }
      if (denied.empty()) continue;
      Add(denied.front() == "execve" ? Severity::kError : Severity::kWarning, "",
          fmt::format("{}{} cannot start a container under it: {} calls {} after the filter is on", start.runtime,
                      start.when, start.runtime, base::Join(denied, ", ")),
          "allow these calls");
    }
  }

  // A rule without which every call is answered as before. Rules that equal the default action are meant to be read.
  void LintNeverDecides() {
    const auto defaults = filter::ToReturnValue(profile_.default_action, profile_.default_errno_ret.value_or(EPERM));
    for (size_t i = 0; i < profile_.syscalls.size(); ++i) {
      const seccomp::ResolvedRule& rule = profile_.syscalls[i];
      if (filter::ToReturnValue(rule.action, rule.errno_ret.value_or(EPERM)) == defaults) continue;
      ResolvedProfile without = profile_;
      without.syscalls.erase(without.syscalls.begin() + static_cast<ptrdiff_t>(i));
      const auto verdict = filter::Compare(
          behaviour_, filter::Describe(without, {.native = native_, .newer = filter::NewerSyscalls::kAsWritten}));
      if (!verdict || !verdict->equal) continue;
      Add(Severity::kWarning, fmt::format("/syscalls/{}", i),
          fmt::format("never decides ({}{}): other rules or no call of the profile's architectures",
                      base::Join(std::span(rule.names).first(std::min<size_t>(3, rule.names.size())), ", "),
                      rule.names.size() > 3 ? ", ..." : ""),
          "");
    }
  }

  const ResolvedProfile& profile_;
  const std::string& name_;
  const Arch native_;
  const Behaviour behaviour_;
  Diagnostics findings_;
};

}  // namespace

Diagnostics LintAnswers(const ResolvedProfile& profile, const std::string& name, filter::Arch native) {
  return AnswersLint(profile, name, native).Run();
}

std::vector<std::string_view> CallsOfOciRuntimes() {
  std::vector<std::string_view> calls;
  for (const StartCalls& start : AllStartCalls()) calls.insert(calls.end(), start.calls.begin(), start.calls.end());
  std::ranges::sort(calls);
  calls.erase(std::ranges::unique(calls).begin(), calls.end());
  return calls;
}

Result<Diagnostics> LintAgainst(const ResolvedProfile& profile, const std::string& name, const ResolvedProfile& base,
                                const std::string& base_name, filter::Arch native) {
  ASSIGN_OR_RETURN(const SubsetVerdict verdict, IsSubset(profile, base, {.native = native}));
  Diagnostics findings;
  for (const filter::Difference& difference : verdict.beyond) {
    const auto arch = syscalls::ArchFromAudit(difference.audit_arch, difference.first);
    const auto call = arch ? syscalls::NameOf(*arch, difference.first) : std::nullopt;
    findings.push_back(
        {.severity = Severity::kWarning,
         .file = name,
         .line = 0,
         .column = 0,
         .field = "",
         .message =
             fmt::format("weaker than {}: {} on {}{} gets {} instead of {}", base_name,
                         call ? std::string(*call) : fmt::format("calls {} to {}", difference.first, difference.last),
                         arch ? syscalls::InfoOf(*arch).scmp_name : "an unlisted architecture",
                         difference.for_some_arguments ? " for some arguments" : "",
                         bpf::ReturnText(difference.from_first), bpf::ReturnText(difference.from_second)),
         .hint = ""});
  }
  return findings;
}

}  // namespace portcullis::algebra
