#include "insight/hostcheck/findings.h"

#include <fmt/core.h>

#include <algorithm>

namespace portcullis::insight {
namespace {

constexpr Version kLogAction{4, 14, 0};
constexpr Version kAllowBitmap{5, 11, 0};
constexpr Version kSsbdOffByDefault{5, 16, 0};
// What auditd's packages set.
constexpr uint32_t kUsualBacklog = 8192;

class Judge {
 public:
  explicit Judge(const HostFacts& facts) : facts_(facts) {}

  std::vector<HostFinding> All() && {
    Kernel();
    Actions();
    Audit();
    Logs();
    Programs();
    Cgroups();
    return std::move(out_);
  }

 private:
  void Add(const char* id, Severity severity, std::string text, std::string remedy = "") {
    out_.push_back({id, severity, std::move(text), std::move(remedy)});
  }

  void Kernel() {
    const std::string& release = facts_.kernel_release;
    if (!facts_.has_seccomp_filters) {
      return Add("kernel-seccomp", Severity::kProblem, fmt::format("kernel {} takes no seccomp filters", release),
                 "use a kernel with CONFIG_SECCOMP_FILTER; with SeccompDefault, no container would start here");
    }
    if (!facts_.kernel) {
      return Add("kernel-version", Severity::kWarning, fmt::format("kernel release \"{}\" is not understood", release));
    }
    const Version& kernel = *facts_.kernel;
    if (kernel < kLogAction) {
      Add("kernel-log", Severity::kProblem,
          fmt::format("kernel {} has no SCMP_ACT_LOG (4.14): a log-only profile cannot be loaded", release),
          "record with portcullis record or strace instead, or use a newer kernel");
    }
    if (kernel < kAllowBitmap) {
      Add("kernel-bitmap", Severity::kNote,
          fmt::format("kernel {} runs the filter for every call; from 5.11 on, calls that are always allowed cost "
                      "nothing",
                      release));
    }
    if (kernel < kSsbdOffByDefault) {
      Add("kernel-ssbd", Severity::kWarning,
          fmt::format(
              "kernel {} switches speculative store bypass off for filtered processes, which slows them, unless "
              "the runtime sets SECCOMP_FILTER_FLAG_SPEC_ALLOW (5.16 does so no more)",
              release),
          "use runc 1.2 or later, or crun, or name the flag in the profile, or use a newer kernel");
    }
    if (kernel >= kSsbdOffByDefault) Add("kernel", Severity::kGood, fmt::format("kernel {}", release));
  }

  static bool Has(const std::vector<std::string>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
  }

  void Actions() {
    if (!facts_.has_seccomp_filters) return;
    if (facts_.actions_available && !Has(*facts_.actions_available, "log")) {
      Add("actions-available", Severity::kProblem, "kernel.seccomp.actions_avail has no log: log-only profiles fail",
          "use a kernel of 4.14 or later");
    }
    if (!facts_.actions_logged) {
      if (!facts_.kernel || *facts_.kernel >= kLogAction) {
        Add("actions-logged", Severity::kWarning, "kernel.seccomp.actions_logged cannot be read");
      }
      return;
    }
    const auto& logged = *facts_.actions_logged;
    const std::string remedy =
        "sysctl -w kernel.seccomp.actions_logged=\"kill_process kill_thread trap errno user_notif trace log\"";
    if (!Has(logged, "log")) {
      Add("actions-logged", Severity::kProblem,
          "kernel.seccomp.actions_logged lacks log: log-only profiles write nothing", remedy);
    }
    std::string missing;
    for (const char* action : {"kill_process", "kill_thread", "errno", "trap", "user_notif", "trace"}) {
      if (!Has(logged, action)) missing += (missing.empty() ? "" : ", ") + std::string(action);
    }
    if (!missing.empty()) {
      Add("actions-logged", Severity::kWarning,
          fmt::format("kernel.seccomp.actions_logged lacks {}: such denials are in no log, whatever a profile's flags",
                      missing),
          remedy);
    }
    if (Has(logged, "log") && missing.empty())
      Add("actions-logged", Severity::kGood, "every seccomp action can be logged");
  }

  void Audit() {
    if (facts_.audit_off_at_boot) {
      Add("audit-off", Severity::kProblem, "audit=0 on the kernel's command line: seccomp writes no record anywhere",
          "take audit=0 off and boot again");
      return;
    }
    if (!facts_.audit) {
      Add("audit-status", Severity::kWarning,
          fmt::format("the audit system cannot be asked ({}): losses and rules that hide records are not known",
                      facts_.audit_error),
          "run as root in the host's own namespaces (CAP_AUDIT_CONTROL)");
    } else {
      Status(*facts_.audit);
    }
    if (facts_.exclude_rules) {
      for (const ExcludeRule& rule : *facts_.exclude_rules) {
        Add("audit-excluded", rule.hides_all ? Severity::kProblem : Severity::kWarning,
            fmt::format("an audit rule hides {} seccomp records: {}", rule.hides_all ? "all" : "some", rule.text),
            "auditctl -d " + rule.text.substr(rule.text.find(' ') + 1) + ", and from /etc/audit/rules.d");
      }
    } else if (facts_.audit) {
      Add("audit-excluded", Severity::kWarning,
          fmt::format("rules that hide records cannot be read: {}", facts_.exclude_rules_error));
    }
    if (facts_.multicast_error.empty()) {
      Add("audit-live", Severity::kGood, "live records can be had from the audit system's multicast group");
    } else {
      Add("audit-live", Severity::kWarning, fmt::format("live records cannot be had: {}", facts_.multicast_error),
          "run as root in the host's own network namespace (CAP_AUDIT_READ)");
    }
  }

  void Status(const AuditStatus& audit) {
    if (audit.rate_limit > 0) {
      Add("audit-rate-limit", Severity::kWarning,
          fmt::format("the audit system drops what is over {} records a second", audit.rate_limit), "auditctl -r 0");
    }
    if (audit.backlog_limit > 0 && audit.backlog_limit < kUsualBacklog) {
      Add("audit-backlog", Severity::kNote,
          fmt::format("the audit system queues {} records: in a burst the programs that write them wait",
                      audit.backlog_limit),
          fmt::format("auditctl -b {}", kUsualBacklog));
    }
    if (audit.lost > 0) {
      Add("audit-lost", Severity::kNote,
          fmt::format("{} audit records were lost since boot: logs of that time are incomplete", audit.lost));
    }
  }

  void Logs() {
    if (facts_.audit_off_at_boot) return;
    if (facts_.has_auditd) {
      Add("log-auditd", Severity::kGood, "auditd writes records to its log");
      return;
    }
    const bool limited = facts_.printk_interval_seconds.value_or(5) > 0;
    const std::string where = facts_.has_rsyslogd && facts_.has_journald ? "rsyslog and the journal"
                              : facts_.has_rsyslogd                      ? "rsyslog"
                              : facts_.has_journald                      ? "the journal"
                                                                         : "dmesg only";
    if (limited) {
      Add("log-printk", Severity::kWarning,
          fmt::format("no auditd: records go to the kernel's log ({}), which lets {} in {} s through", where,
                      facts_.printk_burst.value_or(10), facts_.printk_interval_seconds.value_or(5)),
          "portcullis evidence watch reads them all; or install auditd, or sysctl -w kernel.printk_ratelimit=0");
    } else {
      Add("log-printk", Severity::kNote,
          fmt::format("no auditd: records go to the kernel's log ({}), without a limit", where));
    }
  }

  void Programs() {
    for (const FoundProgram& program : facts_.programs) {
      const std::string name = fmt::format("{} {}", program.name, program.version_text);
      const bool told = Judged(program, name);
      if (!told) Add("program", Severity::kNote, fmt::format("{} ({})", name, program.path));
    }
    const bool any_runtime = std::ranges::any_of(facts_.programs, [](const FoundProgram& program) {
      return program.name == "containerd" || program.name == "crio" || program.name == "dockerd";
    });
    if (!any_runtime) Add("program", Severity::kNote, "no containerd, CRI-O or Docker was found in PATH");
  }

  bool Judged(const FoundProgram& program, const std::string& name) {
    if (!program.version) return false;
    const Version& version = *program.version;
    if (program.name == "runc" && version < Version{1, 0, 2}) {
      Add("runc-clone3", Severity::kProblem,
          fmt::format("{} answers calls newer than the profile with EPERM: programs of glibc 2.34 and later cannot "
                      "start threads (clone3)",
                      name),
          "use runc 1.0.2 or later");
      return true;
    }
    if (program.name == "runc" && version < Version{1, 2, 0}) {
      Add("runc-flags", Severity::kWarning,
          fmt::format(
              "{} sets no SECCOMP_FILTER_FLAG_SPEC_ALLOW of itself and knows fewer flags: on kernels before 5.16 "
              "filtered processes are slower",
              name),
          "use runc 1.2 or later, or name the flag in the profile");
      return true;
    }
    if (program.name == "libseccomp" && version < Version{2, 5, 0}) {
      Add("libseccomp-old", Severity::kWarning,
          fmt::format("{} knows few of the newer calls: rules for them are silently left out", name),
          "use libseccomp 2.5 or later");
      return true;
    }
    if (program.name == "libseccomp" && version < Version{2, 6, 1}) {
      Add("libseccomp-merge", Severity::kNote,
          fmt::format("{} may join 64-bit comparisons of one call wrongly (GHSA-4q85-33p6-j5g6, mended in 2.6.1); the "
                      "default profiles are proven equal by portcullis status --verify",
                      name));
      return true;
    }
    return false;
  }

  void Cgroups() {
    switch (facts_.cgroups) {
      case CgroupLayout::kUnified:
        return Add("cgroups", Severity::kGood, "cgroup v2");
      case CgroupLayout::kHybrid:
        return Add("cgroups", Severity::kNote, "cgroups v1 and v2 side by side: the longest path names the container");
      case CgroupLayout::kV1:
        return Add(
            "cgroups", Severity::kNote,
            "cgroup v1: the recorder knows containers by one controller's hierarchy; records are attributed by path");
      case CgroupLayout::kUnknown:
        return Add("cgroups", Severity::kWarning, "no cgroup hierarchy was found: records have no container");
    }
  }

  const HostFacts& facts_;
  std::vector<HostFinding> out_;
};

}  // namespace

std::string_view NameOf(Severity severity) {
  switch (severity) {
    case Severity::kGood:
      return "good";
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kProblem:
      return "problem";
  }
  return "";
}

std::vector<HostFinding> JudgeHost(const HostFacts& facts) { return Judge(facts).All(); }

}  // namespace portcullis::insight
