#include "insight/hostcheck/gather.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>

#include "base/files.h"
#include "base/spawn.h"
#include "base/strings.h"
#include "base/try.h"
#include "host/proc/process.h"
#include "insight/live/live_audit.h"

namespace portcullis::insight {
namespace {

constexpr size_t kMaxFile = 1u << 20;
constexpr std::chrono::seconds kProgramTime{5};

Result<std::string> RunProgram(const std::vector<std::string>& argv) {
  base::CommandOptions options{.spawn = {.argv = argv}, .timeout = kProgramTime, .max_output = 64u << 10};
  ASSIGN_OR_RETURN(const base::CommandResult done, base::RunCommand(options));
  if (done.exit_code != 0) return Fail(Code::kUnknown, "{} ended with {}", argv[0], done.exit_code);
  return done.out;
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> out;
  for (std::string& word : base::Split(base::Trim(text), ' ')) {
    if (!word.empty()) out.push_back(std::move(word));
  }
  return out;
}

// The first word of a text that begins with a version's digits: "containerd github.com/… v1.7.13 …" -> "v1.7.13".
std::string VersionWordIn(std::string_view text) {
  std::string flat(text);
  std::ranges::replace(flat, '\n', ' ');
  std::ranges::replace(flat, ',', ' ');
  for (const std::string& word : Words(flat)) {
    const std::string_view digits = word.starts_with('v') ? std::string_view(word).substr(1) : std::string_view(word);
    if (!digits.empty() && digits[0] >= '0' && digits[0] <= '9' && digits.find('.') != std::string_view::npos) {
      return word;
    }
  }
  return "";
}

class Gatherer {
 public:
  explicit Gatherer(GatherOptions options) : options_(std::move(options)) {}

  HostFacts All() && {
    Kernel();
    Audit();
    Logs();
    Programs();
    Cgroups();
    return std::move(facts_);
  }

 private:
  std::optional<std::string> Read(const std::string& path) const {
    auto text = base::ReadFile(options_.root + path, kMaxFile);
    return text ? std::optional<std::string>(std::move(*text)) : std::nullopt;
  }

  void Kernel() {
    facts_.kernel_release = std::string(base::Trim(Read("/proc/sys/kernel/osrelease").value_or("")));
    facts_.kernel = ParseVersion(facts_.kernel_release);
    if (const auto text = Read("/proc/sys/kernel/seccomp/actions_avail")) facts_.actions_available = Words(*text);
    if (const auto text = Read("/proc/sys/kernel/seccomp/actions_logged")) facts_.actions_logged = Words(*text);
    facts_.has_seccomp_filters = facts_.actions_available.has_value();
    if (!facts_.has_seccomp_filters && options_.root.empty()) {
      // Before 4.14 there is no such file. With no program the kernel says EFAULT where it knows the mode.
      facts_.has_seccomp_filters = ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, nullptr) == -1 && errno == EFAULT;
    }
  }

  void Audit() {
    const auto words = Words(Read("/proc/cmdline").value_or(""));
    facts_.audit_off_at_boot =
        std::ranges::find(words, "audit=0") != words.end() || std::ranges::find(words, "audit=off") != words.end();
    if (auto status = options_.audit_status()) {
      facts_.audit = *status;
    } else {
      facts_.audit_error = status.error().message;
    }
    if (auto rules = options_.exclude_rules()) {
      facts_.exclude_rules = std::move(*rules);
    } else {
      facts_.exclude_rules_error = rules.error().message;
    }
    if (const auto opened = options_.open_multicast(); !opened) facts_.multicast_error = opened.error().message;
  }

  void Logs() {
    if (const auto text = Read("/proc/sys/kernel/printk_ratelimit")) {
      facts_.printk_interval_seconds = base::ParseUint(base::Trim(*text));
    }
    if (const auto text = Read("/proc/sys/kernel/printk_ratelimit_burst")) {
      facts_.printk_burst = base::ParseUint(base::Trim(*text));
    }
    const auto names = base::ListDir(options_.root + "/proc");
    if (!names) return;
    for (const std::string& name : *names) {
      const auto pid = base::ParseUint(name);
      if (!pid) continue;
      const std::string comm = host::ReadComm(static_cast<pid_t>(*pid), options_.root + "/proc");
      facts_.has_auditd |= comm == "auditd";
      facts_.has_rsyslogd |= comm == "rsyslogd";
      facts_.has_journald |= comm == "systemd-journal";  // cut to 15 bytes
    }
  }

  void Programs() {
    for (const char* name : {"containerd", "crio", "dockerd", "runc", "crun"}) {
      for (const std::string& folder : options_.path) {
        const std::string path = folder + "/" + name;
        if (!base::Exists(options_.root + path)) continue;
        FoundProgram program{.name = name, .path = path};
        if (const auto out = options_.run({path, "--version"})) program.version_text = VersionWordIn(*out);
        if (program.version_text.empty()) program.version_text = "(version not known)";
        program.version = ParseVersion(program.version_text);
        facts_.programs.push_back(std::move(program));
        break;
      }
    }
    // libseccomp.so.2.5.4: the file's name has the version.
    for (const char* folder :
         {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/lib/x86_64-linux-gnu",
          "/usr/lib/riscv64-linux-gnu", "/usr/lib/s390x-linux-gnu", "/usr/lib/powerpc64le-linux-gnu"}) {
      const auto files = base::ListDir(options_.root + folder);
      if (!files) continue;
      constexpr std::string_view kName = "libseccomp.so.";
      for (const std::string& file : *files) {
        if (!file.starts_with(kName)) continue;
        const std::string text = file.substr(kName.size());
        if (std::ranges::count(text, '.') < 2) continue;
        facts_.programs.push_back({.name = "libseccomp",
                                   .path = std::string(folder) + "/" + file,
                                   .version_text = text,
                                   .version = ParseVersion(text)});
        return;
      }
    }
  }

  void Cgroups() {
    bool v1 = false;
    bool v2_at_root = false;
    bool v2_beside = false;
    for (const std::string& line : base::Split(Read("/proc/self/mounts").value_or(""), '\n')) {
      const auto words = Words(line);
      if (words.size() < 3) continue;
      v1 |= words[2] == "cgroup";
      v2_at_root |= words[2] == "cgroup2" && words[1] == "/sys/fs/cgroup";
      v2_beside |= words[2] == "cgroup2" && words[1] != "/sys/fs/cgroup";
    }
    if (v2_at_root) {
      facts_.cgroups = CgroupLayout::kUnified;
    } else if (v1 && v2_beside) {
      facts_.cgroups = CgroupLayout::kHybrid;
    } else if (v1) {
      facts_.cgroups = CgroupLayout::kV1;
    }
  }

  GatherOptions options_;
  HostFacts facts_;
};

}  // namespace

HostFacts GatherHost(GatherOptions options) {
  if (options.root.empty()) {
    if (!options.run) options.run = RunProgram;
    if (!options.audit_status) options.audit_status = ReadAuditStatus;
    if (!options.exclude_rules) options.exclude_rules = ReadExcludeRules;
    if (!options.open_multicast) {
      options.open_multicast = []() -> Result<void> {
        const auto opened = LiveAudit::Open(AuditSource::kMulticast);
        if (!opened) return Failure(opened.error());
        return {};
      };
    }
  } else {
    const Failure unknown = Fail(Code::kUnavailable, "it is another host's");
    if (!options.run) options.run = [unknown](const auto&) -> Result<std::string> { return unknown; };
    if (!options.audit_status) options.audit_status = [unknown]() -> Result<AuditStatus> { return unknown; };
    if (!options.exclude_rules) {
      options.exclude_rules = [unknown]() -> Result<std::vector<ExcludeRule>> { return unknown; };
    }
    if (!options.open_multicast) options.open_multicast = [unknown]() -> Result<void> { return unknown; };
  }
  return Gatherer(std::move(options)).All();
}

}  // namespace portcullis::insight
