// What is known of a host, as far as seccomp and its evidence go. Values only; gather.h fills them, findings.h judges.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "insight/live/audit_control.h"

namespace portcullis::insight {

struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  auto operator<=>(const Version&) const = default;
};
// "6.1.0-28-amd64", "v1.7.13", "2.5.4-1+deb12u1": the first three numbers; nullopt: does not begin with one.
std::optional<Version> ParseVersion(std::string_view text);
std::string Text(const Version& version);

struct FoundProgram {
  std::string name;  // "containerd", "crio", "dockerd", "runc", "crun", "libseccomp"
  std::string path;
  std::string version_text;
  std::optional<Version> version;
};

enum class CgroupLayout { kUnknown, kV1, kHybrid, kUnified };

struct HostFacts {
  std::string kernel_release;
  std::optional<Version> kernel;

  // kernel.seccomp.*; nullopt: the kernel has no such file, so no seccomp filters (or is older than 4.14).
  std::optional<std::vector<std::string>> actions_available;
  std::optional<std::vector<std::string>> actions_logged;
  bool has_seccomp_filters = false;  // the kernel takes filters at all

  std::optional<AuditStatus> audit;
  std::string audit_error;  // why it is not known
  std::optional<std::vector<ExcludeRule>> exclude_rules;
  std::string exclude_rules_error;
  bool audit_off_at_boot = false;  // audit=0 on the kernel's command line
  std::string multicast_error;     // why live records cannot be had; "": they can

  // printk's limit for the records that no audit daemon takes; nullopt: not known.
  std::optional<uint64_t> printk_interval_seconds;  // 0: no limit
  std::optional<uint64_t> printk_burst;

  bool has_auditd = false;  // running
  bool has_rsyslogd = false;
  bool has_journald = false;

  std::vector<FoundProgram> programs;
  CgroupLayout cgroups = CgroupLayout::kUnknown;
};

}  // namespace portcullis::insight
